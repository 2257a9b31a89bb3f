"""What was committed since: events and log lines of many runs at once, for live streams.

Each call is one short query on the engine's own connection (see :mod:`celesta.runs.connection`),
between two ids that :mod:`celesta.runs.visible` vouches for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from logging import getLevelName
from typing import Any, Final
from uuid import UUID

from celesta.runs.connection import rows
from celesta.runs.states import TERMINAL_RUN

#: Ids between which events of a whole workspace are looked for at once.
WINDOW: Final = 20_000

#: Kinds of events after which a run is over.
ENDINGS: Final = frozenset(f"run_{state}" for state in TERMINAL_RUN)


@dataclass(frozen=True, slots=True)
class News:
    """One event or log line, with what decides who may see it."""

    #: Its place in the cursor: the event's id or the line's number.
    id: int
    is_line: bool
    run: UUID
    workspace: int
    workflow: str
    kind: str
    at: datetime
    #: What the API tells of it.
    words: dict[str, Any]

    @property
    def is_ending(self) -> bool:
        """True when the run is over with this."""
        return self.kind in ENDINGS


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of what is asked: these runs, and everything in these workspaces."""

    runs: Collection[UUID] = ()
    workspaces: Collection[int] = ()


_EVENTS = """
SELECT e.id, e.run_id, r.workspace_id, w.name, r.version_id, e.at, e.kind, e.scope, e.node,
  e.attempt, e.data
FROM celesta_event e JOIN celesta_run r ON r.id = e.run_id
JOIN celesta_workflow w ON w.id = r.workflow_id
WHERE e.id > %(after)s::bigint AND e.id <= %(upto)s::bigint AND {whose}
ORDER BY e.id LIMIT %(limit)s::int
"""
_OF_RUNS = "e.run_id = ANY (%(runs)s::uuid[])"
_OF_WORKSPACES = f"({_OF_RUNS} OR r.workspace_id = ANY (%(workspaces)s::bigint[]))"

_LINES = """
SELECT l.number, l.run_id, r.workspace_id, w.name, r.version_id, l.at, l.scope, l.node, l.attempt,
  l.level, l.logger, l.text, l.dropped
FROM celesta_log_line l JOIN celesta_run r ON r.id = l.run_id
JOIN celesta_workflow w ON w.id = r.workflow_id
WHERE l.number > %(after)s::bigint AND l.number <= %(upto)s::bigint
  AND l.run_id = ANY (%(runs)s::uuid[])
ORDER BY l.number LIMIT %(limit)s::int
"""


def events(wanted: Wanted, after: int, upto: int, limit: int) -> tuple[list[News], int]:
    """At most ``limit`` events with ids in ``(after, upto]``, in order, and how far that reached.

    Of runs it relies on the index (run, id); of workspaces it goes through a window of ids.
    """
    if wanted.workspaces:
        upto = min(upto, after + WINDOW)
    query = _EVENTS.format(whose=_OF_WORKSPACES if wanted.workspaces else _OF_RUNS)
    found = rows(query, _parameters(wanted, after, upto, limit))
    news = [_event(*row) for row in found]
    return news, news[-1].id if len(news) == limit else upto


def lines(wanted: Wanted, after: int, upto: int, limit: int) -> tuple[list[News], int]:
    """As :func:`events`, for the log lines of runs; workspaces have none."""
    news = [_line(*row) for row in rows(_LINES, _parameters(wanted, after, upto, limit))]
    return news, news[-1].id if len(news) == limit else upto


def _parameters(wanted: Wanted, after: int, upto: int, limit: int) -> dict[str, Any]:
    return {
        "after": after,
        "upto": upto,
        "limit": limit,
        "runs": list(wanted.runs),
        "workspaces": list(wanted.workspaces),
    }


@lru_cache(maxsize=64)
def _names(version: int) -> dict[int, str]:
    """The names of a version's nodes by index. Kept in memory: versions never change."""
    return dict(
        rows("SELECT node, name FROM celesta_plan_node WHERE version_id = %s::bigint", (version,))
    )


def _event(
    id_: int, run: UUID, workspace: int, workflow: str, version: int, at: datetime, kind: str,
    scope: int | None, node: int | None, attempt: int | None, data: Any,
) -> News:  # fmt: skip
    names = _names(version)
    at = at.astimezone(UTC)
    if node is None and isinstance(data, dict) and isinstance(data.get("nodes"), list):
        data = {**data, "nodes": [names.get(index) for index in data["nodes"]]}
    words = {
        "id": id_,
        "run": run,
        "workflow": workflow,
        "at": at,
        "kind": kind,
        "scope": scope,
        "node": None if node is None else names.get(node),
        "index": node,
        "attempt": attempt,
        "data": data,
    }
    return News(id_, False, run, workspace, workflow, kind, at, words)


def _line(
    number: int, run: UUID, workspace: int, workflow: str, version: int, at: datetime, scope: int,
    node: int, attempt: int, level: int, logger: str, text: str, dropped: int,
) -> News:  # fmt: skip
    at = at.astimezone(UTC)
    words = {
        "id": number,
        "run": run,
        "at": at,
        "scope": scope,
        "node": _names(version).get(node),
        "index": node,
        "attempt": attempt,
        "level": getLevelName(level),
        "logger": logger,
        "text": text,
        "dropped": dropped,
    }
    return News(number, True, run, workspace, workflow, "log", at, words)
