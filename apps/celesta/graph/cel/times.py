"""Timestamps and durations in expressions, as CEL defines them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celesta.graph.cel.values import Budget, CelError, Function, demand


def _timestamp(_: Budget, value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(demand("timestamp", value, str))
    except (ValueError, OverflowError, OSError):
        raise CelError(f"{value!r:.50} is no timestamp such as 2026-01-31T08:00:00Z") from None
    if found.tzinfo is None:
        raise CelError(f"the timestamp {value!r:.50} has no zone; add Z or an offset")
    return found


_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)", re.ASCII)
_UNIT_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def _duration(_: Budget, value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    body = demand("duration", value, str).lstrip("+-")
    parts = _DURATION_PART.findall(body)
    if not parts or "".join(number + unit for number, unit in parts) != body:
        raise CelError(f"{value!r:.50} is no duration such as 1h30m or 90s")
    seconds = sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)
    try:
        return timedelta(seconds=-seconds if value.startswith("-") else seconds)
    except OverflowError:
        raise CelError(f"the duration {value!r:.50} is too long") from None


def _zoned(value: Any, zone: Any, name: str) -> datetime:
    demand(name, value, datetime)
    if zone is None:
        return value.astimezone(UTC)  # type: ignore[no-any-return]
    try:
        return value.astimezone(ZoneInfo(demand(name, zone, str)))  # type: ignore[no-any-return]
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise CelError(f"{zone!r:.50} is no time zone") from None


def _time_part(name: str, part: Callable[[datetime], int], unit: float | None = None) -> Function:
    def function(_: Budget, value: Any, zone: Any = None) -> int:
        if unit is not None and isinstance(value, timedelta):
            return int(value.total_seconds() / unit)
        return part(_zoned(value, zone, name))

    return function


_PARTS: dict[str, Function] = {
    "getFullYear": _time_part("getFullYear", lambda t: t.year),
    "getMonth": _time_part("getMonth", lambda t: t.month - 1),
    "getDate": _time_part("getDate", lambda t: t.day),
    "getDayOfMonth": _time_part("getDayOfMonth", lambda t: t.day - 1),
    "getDayOfWeek": _time_part("getDayOfWeek", lambda t: t.isoweekday() % 7),
    "getDayOfYear": _time_part("getDayOfYear", lambda t: t.timetuple().tm_yday - 1),
    "getHours": _time_part("getHours", lambda t: t.hour, 3600),
    "getMinutes": _time_part("getMinutes", lambda t: t.minute, 60),
    "getSeconds": _time_part("getSeconds", lambda t: t.second, 1),
}


#: Functions by name, with the least and most arguments they take (the target counts).
FUNCTIONS: dict[str, tuple[Function, int, int]] = {
    "timestamp": (_timestamp, 1, 1),
    "duration": (_duration, 1, 1),
    **{name: (function, 1, 2) for name, function in _PARTS.items()},
}
