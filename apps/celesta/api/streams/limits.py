"""How many streams one caller may have open in a web process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from rest_framework.exceptions import Throttled

from celesta import conf

#: Seconds after which to try again.
RETRY_AFTER: Final = 10

_open: Counter[str] = Counter()
_lock = Lock()


def demand(caller: str) -> None:
    """Raise Throttled (429) when the caller has as many streams open as one may."""
    most = conf.get("STREAMS_PER_CALLER")
    if _open[caller] >= most:
        raise Throttled(
            RETRY_AFTER, f"You have {most} streams open here; close one, or try again later."
        )


@contextmanager
def counted(caller: str) -> Iterator[None]:
    """While a stream is open."""
    with _lock:
        _open[caller] += 1
    try:
        yield
    finally:
        with _lock:
            _open[caller] -= 1
            if not _open[caller]:
                del _open[caller]
