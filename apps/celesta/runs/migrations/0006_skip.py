"""Nodes that are ready or wait can be skipped by people."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"

DROP = """
DROP FUNCTION IF EXISTS celesta_skip_v1(uuid, int, int, text, text);
DROP FUNCTION IF EXISTS celesta_drop_items_v1(uuid, int, int, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("celesta_runs", "0005_indexes_of_lists")]

    operations = [migrations.RunSQL((SQL / "skip_v1.sql").read_text(), DROP)]
