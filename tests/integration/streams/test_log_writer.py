"""While the database is away lines are kept up to a bound, and nobody waits."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest

from celesta.runs import connection
from celesta.runs.log_lines import NewLine, store
from celesta.runs.models import LogLine
from celesta_worker.log_writer import BATCH, MAX_WAITING, LogWriter

pytestmark = pytest.mark.django_db(transaction=True)


def line(run: str, seq: int, *, dropped: int = 0) -> NewLine:
    now = datetime.now(UTC)
    return NewLine(run, 0, 0, 1, seq, now, 20, "shop", f"line {seq}", dropped)


def test_a_database_that_is_away_costs_lines_and_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    run, writer = str(uuid4()), LogWriter()
    real = connection.parameters
    connection.close()
    with monkeypatch.context() as away:
        # A real connection that is really refused: nobody listens on that port.
        away.setattr(
            connection, "parameters",
            lambda: {**real(), "host": "127.0.0.1", "port": 1, "connect_timeout": 1},
        )  # fmt: skip
        with pytest.raises(psycopg.OperationalError):
            store([line(run, 0)])
        began = time.monotonic()
        kept = [writer.put(line(run, seq)) for seq in range(MAX_WAITING + 2000)]
        assert time.monotonic() - began < 20
        # The thread may have had a batch in its hands, so as many more may have got in.
        assert MAX_WAITING <= sum(kept) <= MAX_WAITING + BATCH
        assert writer.put(line(run, 99_999, dropped=500)), "how many were dropped is always kept"
    deadline = time.monotonic() + 30
    while LogLine.objects.filter(run_id=run).count() < sum(kept) + 1:
        writer.flush()
        assert time.monotonic() < deadline
    assert LogLine.objects.filter(run_id=run, dropped=500).count() == 1


def test_lines_stored_twice_are_there_once() -> None:
    run = str(uuid4())
    lines = [line(run, seq) for seq in range(3)]
    store(lines)
    store(lines)  # the answer to the first call was lost
    assert LogLine.objects.filter(run_id=run).count() == 3
