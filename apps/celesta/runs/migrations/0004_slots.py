"""Runs know the slot they are for, and many of them are started in one call."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql"
DROP = (
    "DROP FUNCTION celesta_start_many_v1(bigint, bigint, bigint, uuid[], jsonb[], text[], text[],"
    " timestamptz[], timestamptz[], text, text, text, float8)"
)


class Migration(migrations.Migration):
    dependencies = [("celesta_runs", "0003_pause")]

    operations = [
        migrations.AddField(
            "run",
            "slot",
            models.DateTimeField(help_text="The slot of a schedule that it is for.", null=True),
        ),
        migrations.AddField(
            "run",
            "slot_from",
            models.DateTimeField(help_text="The slot before: where its data begin.", null=True),
        ),
        migrations.RunSQL((SQL / "start_many_v1.sql").read_text(), DROP),
    ]
