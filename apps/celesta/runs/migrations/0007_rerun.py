"""A run can be run again, and keep what some of its nodes ended with."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP = (
    "DROP FUNCTION IF EXISTS celesta_rerun_v1(uuid, bigint, bigint, bigint, jsonb, text, text, text,"
    " text, text, float8, uuid, int[], int[], text[], jsonb)"
)


class Migration(migrations.Migration):
    dependencies = [("celesta_runs", "0006_skip")]

    operations = [migrations.RunSQL((SQL / "rerun_v1.sql").read_text(), DROP)]
