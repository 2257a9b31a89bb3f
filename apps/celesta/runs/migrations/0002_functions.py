"""The functions of protocol 1. They are never replaced: a changed one gets the next number."""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).resolve().parent.parent / "sql"

#: In the order in which they need each other.
FILES = [
    "law_v1",
    "verdict_v1",
    "lanes_v1",
    "travel_v1",
    "end_map_v1",
    "end_items_v1",
    "end_run_v1",
    "settle_v1",
    "inputs_v1",
    "next_v1",
    "hold_v1",
    "claim_v1",
    "complete_v1",
    "start_v1",
    "expand_v1",
    "take_back_v1",
    "relieve_v1",
    "fire_v1",
    "report_v1",
    "cancel_v1",
    "tuning_v1",
]

TABLES = """
-- Each row has room for one more version on its page, also when a whole wave moves at once: updates stay HOT.
ALTER TABLE celesta_node_run SET (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE celesta_gate SET (fillfactor = 50);
ALTER TABLE celesta_slot SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0,
  autovacuum_vacuum_threshold = 500);
ALTER TABLE celesta_hint SET (autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE celesta_wave SET (fillfactor = 50);
-- What the leader sweeps after a crash in mid cancellation; run rows move seldom.
CREATE INDEX celesta_run_cancelling ON celesta_run (id) WHERE state = 'cancelling';
INSERT INTO celesta_leader (id, holder, term, until) VALUES (1, '', 0, now());
"""

DROP_TABLES = "DELETE FROM celesta_leader; DROP INDEX IF EXISTS celesta_run_cancelling;"

DROP = """
DO $$ DECLARE f record; BEGIN
  FOR f IN SELECT oid::regprocedure AS name FROM pg_proc
           WHERE proname LIKE 'celesta\\_%\\_v1' AND pronamespace = current_schema()::regnamespace
  LOOP EXECUTE format('DROP FUNCTION IF EXISTS %s CASCADE', f.name); END LOOP;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("celesta_runs", "0001_initial")]

    operations = [
        migrations.RunSQL(TABLES, DROP_TABLES),
        migrations.RunSQL([(SQL / f"{name}.sql").read_text() for name in FILES], DROP),
    ]
