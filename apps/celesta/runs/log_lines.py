"""Storing what nodes log and print. No state of a run depends on it.

Kept apart from the models: workers import this before Django is ready.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from celesta.runs.connection import rows

#: Characters of a logger's name that are kept.
LOGGER_LENGTH: Final = 200

_INSERT = """
INSERT INTO celesta_log_line
  (run_id, scope, node, attempt, seq, at, level, logger, text, dropped)
SELECT * FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::smallint[], %s::bigint[],
  %s::timestamptz[], %s::smallint[], %s::text[], %s::text[], %s::int[])
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class NewLine:
    """One line to be stored."""

    run: str
    scope: int
    node: int
    attempt: int
    seq: int
    at: datetime
    level: int
    logger: str
    text: str
    dropped: int = 0


def store(lines: Sequence[NewLine]) -> None:
    """Store lines; those that were stored by an earlier call are passed over.

    Raises psycopg.OperationalError when the database cannot be reached: call it again.
    """
    columns = zip(
        *(
            (
                line.run, line.scope, line.node, line.attempt, line.seq, line.at, line.level,
                line.logger[:LOGGER_LENGTH], line.text, line.dropped,
            )
            for line in lines
        ),
        strict=True,
    )  # fmt: skip
    rows(_INSERT, [list(column) for column in columns])
