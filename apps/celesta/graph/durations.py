"""Durations as authors write them: ``500ms``, ``30s``, ``5m``, ``2h``, ``1d``."""

from __future__ import annotations

import re

_PATTERN = re.compile(r"(\d{1,9}(?:\.\d{1,6})?)(ms|s|m|h|d)", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

#: Longest duration, in seconds (ten years): what lies beyond is a slip of the pen.
LONGEST = 3650 * 86400.0
HINT = "Write a number and a unit: 500ms, 30s, 5m, 2h or 1d."


def parse(text: object) -> float:
    """Seconds of a duration; raises ValueError with a sentence for the author.

    One number (a fraction is allowed) and one unit: ``90s`` and ``1.5m``, not ``1m30s``.
    """
    match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a duration")
    seconds = round(float(match[1]) * _SECONDS[match[2]], 6)
    if seconds > LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return seconds


def text(seconds: float) -> str:
    """The shortest way to write a number of seconds, for the DSL and for pages."""
    for unit in ("d", "h", "m", "s"):
        count = seconds / _SECONDS[unit]
        if count >= 1 and count == int(count):
            return f"{int(count)}{unit}"
    milliseconds = seconds * 1000
    if milliseconds == int(milliseconds):
        return f"{int(milliseconds)}ms"
    return f"{seconds:.6f}".rstrip("0").rstrip(".") + "s"
