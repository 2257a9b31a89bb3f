"""What nodes log and print."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("celesta_runs", "0007_rerun"),
    ]

    operations = [
        migrations.CreateModel(
            name="LogLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "run_id",
                        "scope",
                        "node",
                        "attempt",
                        "seq",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("scope", models.IntegerField()),
                ("node", models.IntegerField()),
                ("attempt", models.SmallIntegerField()),
                (
                    "seq",
                    models.BigIntegerField(
                        help_text="Order within the attempt; begins at its first line's moment in microseconds, so that an attempt begun twice under one number tells its lines apart."
                    ),
                ),
                ("number", models.BigIntegerField(help_text="Given by the database.", unique=True)),
                ("at", models.DateTimeField(help_text="By the worker's clock.")),
                ("stored_at", models.DateTimeField(help_text="By the database's clock.")),
                (
                    "level",
                    models.SmallIntegerField(help_text="As in Python's logging: 20 is INFO."),
                ),
                (
                    "logger",
                    models.CharField(
                        help_text="stdout and stderr for what was printed.", max_length=200
                    ),
                ),
                ("text", models.TextField()),
                (
                    "dropped",
                    models.IntegerField(
                        default=0, help_text="Lines that were not kept, up to here."
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="log_lines",
                        to="celesta_runs.run",
                    ),
                ),
            ],
            options={
                "db_table": "celesta_log_line",
                "indexes": [models.Index(fields=["run", "number"], name="celesta_log_line_run")],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE celesta_log_line ALTER number ADD GENERATED ALWAYS AS IDENTITY,"
            " ALTER stored_at SET DEFAULT clock_timestamp(),"
            " SET (autovacuum_vacuum_insert_scale_factor = 0.05)",
            migrations.RunSQL.noop,
        ),
    ]
