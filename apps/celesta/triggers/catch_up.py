"""Which due slots are started and which are let go: policy as arithmetic, no clock, no database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from celesta.triggers.recurrence import Recurrence

#: A slot counts as missed when nobody dealt with it for so long; until then it is merely late.
MISSED_AFTER = timedelta(seconds=60)
#: Slots started in one transaction; the rest follow in the next ones.
BATCH = 20


@dataclass(frozen=True, slots=True)
class Due:
    """What one tick has to do: start ``slots``, then move the cursor."""

    slots: tuple[datetime, ...]
    cursor: datetime
    #: True when there may be more: call again with the new cursor.
    more: bool = False
    #: The first of the slots that are let go, when there are such.
    dropped: datetime | None = None


def due(rhythm: Recurrence, cursor: datetime, now: datetime, policy: str, limit: int = 100) -> Due:
    """The slots after ``cursor`` to be started by ``now`` under a catch-up policy.

    ``all`` starts each, in order, and of the missed ones at most the ``limit`` newest. ``none``
    starts those that are not missed. ``last`` does the same, but when any was missed it starts only
    the newest slot of all.
    """
    first = rhythm.after(cursor)
    if first is None or rhythm.start_of(first) > now:
        return Due((), cursor)
    missed = rhythm.newest(cursor, now - MISSED_AFTER, limit if policy == "all" else 1)
    recent = list(rhythm.slots(missed[-1] if missed else cursor, now))
    if policy == "all" or not missed:
        wanted = [*missed, *recent]
        dropped = first if wanted[0] != first else None
        some = tuple(wanted[:BATCH])
        return Due(some, some[-1], more=len(wanted) > BATCH, dropped=dropped)
    if policy == "none":
        return Due(tuple(recent), [*missed, *recent][-1], dropped=first)
    newest = [*missed, *recent][-1]
    return Due((newest,), newest, dropped=first if newest != first else None)
