"""Items of a map that ended before all were written do not stay; being given up is told last."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"

#: Functions that have changed, and the settings of all. A new database has them as they are here.
CHANGED = ["settle_v1", "end_run_v1", "skip_v1", "take_back_v1", "tuning_v1"]

DROP = "DROP FUNCTION IF EXISTS celesta_drop_unreleased_v1(uuid, int[], int[])"


def _again(name: str) -> str:
    text = (SQL / f"{name}.sql").read_text()
    return text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    dependencies = [("celesta_runs", "0009_dead_letters")]

    operations = [
        migrations.RunSQL((SQL / "drop_unreleased_v1.sql").read_text(), DROP),
        migrations.RunSQL([_again(name) for name in CHANGED], migrations.RunSQL.noop),
    ]
