"""Params of a schedule, with expressions over the slot: ``{{ slot.date }}``, ``{{ slot.since }}``.

They are resolved when the slot starts, so a run's params say what it was for, and a rerun of it
gets the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from celesta.graph.expressions import ExpressionError, resolve
from celesta.graph.problems import Problem
from celesta.runs.errors import ParamsInvalid
from celesta.triggers.timing import zone


@dataclass(frozen=True, slots=True)
class Slot:
    """An instant at which something is due, and the one before it. ``zone`` is a name."""

    at: datetime
    since: datetime
    zone: str = "UTC"

    @property
    def scope(self) -> dict[str, Any]:
        """What expressions may read, as JSON values; times are ISO 8601."""
        local = self.at.astimezone(zone(self.zone))
        return {
            "time": _iso(self.at),
            "since": _iso(self.since),
            "local": local.isoformat(),
            "date": local.date().isoformat(),
            "since_date": self.since.astimezone(zone(self.zone)).date().isoformat(),
            "timestamp": int(self.at.timestamp()),
        }


def resolved(params: Mapping[str, Any], slot: Slot) -> dict[str, Any]:
    """The params of one slot; raises ParamsInvalid with the place of an expression that failed."""
    try:
        found: dict[str, Any] = resolve(dict(params), {"slot": slot.scope}, "params")
    except ExpressionError as error:
        hint = f"Expressions here read {', '.join(f'slot.{name}' for name in slot.scope)}."
        problem = Problem(error.code, error.path or "params", error.message, hint)
        raise ParamsInvalid(problems=[problem]) from error
    return found


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
