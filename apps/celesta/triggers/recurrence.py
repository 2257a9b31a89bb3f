"""A timing within bounds, with jitter: which slots there are, and when each is to start."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from celesta.triggers.timing import Timing

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """``starts_at`` and ``ends_at`` are included. ``jitter`` is in seconds.

    A slot keeps its nominal time whatever the jitter: that is its identity. ``seed`` tells apart
    schedules of one timing, which would otherwise start together again.
    """

    timing: Timing
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    jitter: int = 0
    seed: str = ""

    def after(self, moment: datetime) -> datetime | None:
        """The first slot strictly after ``moment``, in UTC; None when there is none any more."""
        if self.starts_at is not None and moment < self.starts_at:
            moment = self.starts_at - _INSTANT
        slot = self.timing.after(moment)
        ended = slot is None or (self.ends_at is not None and slot > self.ends_at)
        return None if ended else slot

    def start_of(self, slot: datetime) -> datetime:
        """When a slot is to start: up to ``jitter`` later, and before the next slot.

        A hash of seed and slot, not a random number, so that all who ask agree.
        """
        if not self.jitter:
            return slot
        span = timedelta(seconds=self.jitter)
        following = self.timing.after(slot)
        if following is not None:
            span = min(span, following - slot)
        text = f"{self.seed}:{slot.astimezone(UTC).isoformat()}"
        number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
        return slot + _INSTANT * ((span // _INSTANT) * number >> 48)

    def slots(self, after: datetime, upto: datetime) -> Iterator[datetime]:
        """Every slot after ``after`` whose start is not later than ``upto``, oldest first."""
        slot = self.after(after)
        while slot is not None and self.start_of(slot) <= upto:
            yield slot
            slot = self.after(slot)

    def newest(self, after: datetime, upto: datetime, count: int) -> list[datetime]:
        """The last ``count`` of those slots, oldest first, without walking through all of them."""
        reach = timedelta(hours=1)
        while upto - reach > after:
            if len(found := list(self.slots(upto - reach, upto))) >= count:
                return found[-count:]
            reach *= 2
        return list(self.slots(after, upto))[-count:]

    def before(self, slot: datetime) -> datetime:
        """The slot before that one, where its data begin; of a first or only one, itself.

        Bounds do not count: the first slot within them covers as much as any other.
        """
        timing = Recurrence(self.timing)
        for days in (2, 400, 4000):
            if found := timing.newest(slot - timedelta(days=days), slot - _INSTANT, 1):
                return found[0]
        return slot
