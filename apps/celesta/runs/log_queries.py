"""Reading what nodes logged and printed, in the order in which it was stored."""

from __future__ import annotations

from logging import getLevelName
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from celesta.graph.plan import Plan
from celesta.runs.models import LogLine
from celesta.runs.visible import before_young_gap


def of_run(run_id: UUID) -> QuerySet[LogLine]:
    """The lines of a run, in the order in which they were stored."""
    return LogLine.objects.filter(run_id=run_id).order_by("number")


def of_node(run_id: UUID, scope: int, node: int, attempt: int | None = None) -> QuerySet[LogLine]:
    """The lines of a node run, or of one attempt of it."""
    lines = of_run(run_id).filter(scope=scope, node=node)
    return lines if attempt is None else lines.filter(attempt=attempt)


def settled(lines: QuerySet[LogLine], after: int, limit: int) -> list[LogLine]:
    """At most ``limit`` lines with numbers above ``after``, so that none is ever missed.

    Whoever goes on from the last one sees what was stored meanwhile, see
    :func:`celesta.runs.visible.before_young_gap`.
    """
    found = list(lines.filter(number__gt=after)[:limit])
    if not found:
        return found
    end = before_young_gap("celesta_log_line", found[-1].number)
    return [line for line in found if line.number <= end]


def words(plan: Plan, line: LogLine) -> dict[str, Any]:
    """One line in its author's words: the node by name, the level by name."""
    return {
        "id": line.number,
        "at": line.at,
        "node": plan.nodes[line.node].name,
        "scope": line.scope,
        "attempt": line.attempt,
        "level": getLevelName(line.level),
        "logger": line.logger,
        "text": line.text,
        "dropped": line.dropped,
    }
