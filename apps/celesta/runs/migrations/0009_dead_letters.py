"""Nodes whose failure failed a run are kept for people to decide on."""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP = """
DROP FUNCTION IF EXISTS celesta_bury_v1(uuid, bigint, timestamptz);
DROP FUNCTION IF EXISTS celesta_fingerprint_v1(jsonb);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("celesta_access", "0001_initial"),
        ("celesta_workflows", "0002_version_is_immutable"),
        ("celesta_runs", "0008_log_lines"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("node", models.IntegerField()),
                ("name", models.CharField(help_text="Name of the node.", max_length=220)),
                ("attempt", models.SmallIntegerField(help_text="Attempts it had.")),
                ("code", models.CharField(max_length=100)),
                ("message", models.TextField(blank=True)),
                (
                    "fingerprint",
                    models.CharField(
                        help_text="The same for failures that differ in numbers, ids and quotes only.",
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("retried", "Retried"),
                            ("discarded", "Discarded"),
                        ],
                        default="open",
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decided_by", models.CharField(blank=True, max_length=200)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("retried_as", models.UUIDField(help_text="The run that retries it.", null=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dead_letters",
                        to="celesta_runs.run",
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="celesta_workflows.workflow",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="celesta_access.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "celesta_dead_letter",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["workspace", "state", "-id"], name="celesta_dead_state"),
                    models.Index(
                        fields=["workspace", "fingerprint", "-id"], name="celesta_dead_alike"
                    ),
                ],
            },
        ),
        migrations.RunSQL((SQL / "dead_letter_v1.sql").read_text(), DROP),
    ]
