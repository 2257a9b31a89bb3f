"""Times and sizes as people read them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import orjson

MINUTE, HOUR, DAY = 60, 3600, 86_400
#: Letters of a JSON value that a page shows; the rest is a download.
SHOWN = 20_000


def duration(seconds: float | None) -> str:
    """``840 ms``, ``1.24 s``, ``2 m 05 s``, ``3 h 07 m``, ``2 d 4 h``; empty for None."""
    if seconds is None:
        return ""
    seconds = max(seconds, 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < MINUTE:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    whole = int(seconds)
    for unit, name, smaller, small in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "m")):
        if whole >= unit:
            return f"{whole // unit} {name} {whole % unit // smaller:02} {small}"
    return f"{whole // MINUTE} m {whole % MINUTE:02} s"


def between(start: datetime | None, end: datetime | None, now: datetime) -> str:
    """The time from start to end, or to now while it goes on; empty before the start."""
    return duration(((end or now) - start).total_seconds()) if start else ""


def ago(moment: datetime | None, now: datetime) -> str:
    """``just now``, ``5 min ago``, ``in 2 h``, and the date when it is more than a week away."""
    if moment is None:
        return ""
    distance = now - moment
    seconds = int(abs(distance.total_seconds()))
    if seconds < 5:
        return "just now"
    if seconds >= 7 * DAY:
        return f"{moment:%d %b %Y}"
    size, name = next((s, n) for s, n in UNITS if seconds >= s)
    text = f"{seconds // size} {name}"
    return f"{text} ago" if distance > timedelta() else f"in {text}"


UNITS = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (1, "s"))


def size(count: int) -> str:
    """Bytes: ``812 B``, ``4.2 kB``, ``1.3 MB``."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def pretty(value: Any) -> str:
    """A JSON value, indented."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, option=options, default=str).decode()
