"""Where a node ran is still known when its worker is not."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("celesta_runs", "0010_unreleased_items")]

    operations = [
        migrations.CreateModel(
            name="PastSlot",
            fields=[
                (
                    "id",
                    models.BigIntegerField(
                        help_text="As it was the slot's.", primary_key=True, serialize=False
                    ),
                ),
                ("worker", models.CharField(max_length=200)),
                ("pid", models.IntegerField()),
                ("started_at", models.DateTimeField()),
            ],
            options={"db_table": "celesta_past_slot"},
        ),
    ]
