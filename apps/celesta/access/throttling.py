"""How many calls a minute: counted in PostgreSQL, since all web processes must count together.

A process takes permits in blocks and hands them out from memory, so that one call in some hundred
writes a row. What it has not used when the minute is over is lost: a limit is kept from above, and
falls short by less than a block for each process. See docs/decisions/0031-throttling.md.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Lock
from typing import Final

from django.db import connections

from celesta import conf

MINUTE: Final = 60
#: A block is that part of the limit.
BLOCKS: Final = 50
#: Beyond so many callers in memory the old ones are forgotten; their permits are lost with them.
MOST_CALLERS: Final = 10_000

_TAKE: Final = """
INSERT INTO celesta_throttle AS t (caller, minute, used)
VALUES (%(caller)s, floor(extract(epoch FROM clock_timestamp()) / 60), %(block)s)
ON CONFLICT (caller) DO UPDATE SET minute = excluded.minute,
  used = CASE WHEN t.minute = excluded.minute THEN least(t.used, %(limit)s) ELSE 0 END + %(block)s
RETURNING used, 60 - mod(extract(epoch FROM clock_timestamp()), 60)
"""


@dataclass(slots=True)
class _Block:
    """Permits that this process still has, until its clock shows ``until``."""

    left: int
    until: float


_blocks: dict[str, _Block] = {}
_lock = Lock()


def wait_for(caller: str, limit: int) -> int:
    """Count one call; 0 when it may go on, else the seconds until the next minute.

    ``limit`` is in calls a minute; 0 means that there is none.
    """
    if limit <= 0:
        return 0
    with _lock:
        block = _blocks.get(caller)
        if block is not None and time.monotonic() < block.until:
            if block.left > 0:
                block.left -= 1
                return 0
            if block.left < 0:  # the whole minute is used up, and was asked for already
                return _seconds(block.until - time.monotonic())
    return _another(caller, limit)


def _another(caller: str, limit: int) -> int:
    size = max(1, limit // BLOCKS)
    with connections[conf.get("DATABASE")].cursor() as cursor:
        cursor.execute(_TAKE, {"caller": caller, "block": size, "limit": limit})
        used, left = cursor.fetchone()
    until = time.monotonic() + float(left)
    granted = max(0, size - max(0, int(used) - limit))
    with _lock:
        if len(_blocks) >= MOST_CALLERS:
            _blocks.clear()
        _blocks[caller] = _Block(granted - 1 if granted else -1, until)
    return 0 if granted else _seconds(float(left))


def _seconds(left: float) -> int:
    return max(1, int(left) + 1)


def forget() -> None:
    """Drop this process's permits (tests)."""
    with _lock:
        _blocks.clear()
