"""How long to wait before the next attempt: arithmetic only, randomness comes in."""

from __future__ import annotations

from celesta.graph.plan import Retry


def delay(attempt: int, retry: Retry, rand: float) -> float:
    """Seconds to wait after attempt number ``attempt`` (from 1) has failed.

    The curve is ``backoff * factor ** (attempt - 1)``, never above ``max``. With jitter the wait is
    spread evenly over the upper half of that value, by ``rand`` in [0, 1): nodes that failed
    together do not come back together, and none comes back at once.
    """
    try:
        curve = retry.backoff * retry.factor ** (attempt - 1)
    except OverflowError:
        curve = retry.max
    seconds = min(curve, retry.max)
    if retry.jitter:
        seconds *= 0.5 + rand / 2
    return seconds


def may_retry(attempt: int, retry: Retry) -> bool:
    """True when another attempt may follow attempt number ``attempt`` (from 1)."""
    return attempt < retry.attempts
