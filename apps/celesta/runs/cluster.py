"""Who leads, which workers there are, and what waits: read from the rows that keep them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Min
from django.utils import timezone

from celesta.runs.models import Hint, Leader, Slot


@dataclass(frozen=True, slots=True)
class Lead:
    """The present leader, or the last one."""

    holder: str
    term: int
    since: datetime | None
    until: datetime
    #: True while its term lasts.
    is_leading: bool


@dataclass(slots=True)
class Places:
    """Slots: busy with a node, idle, busy with tasks that are not Celesta's, or lost."""

    name: str
    busy: int = 0
    idle: int = 0
    other: int = 0
    lost: int = 0

    @property
    def slots(self) -> int:
        """Those that are alive."""
        return self.busy + self.idle + self.other

    def count(self, slot: Slot, now: datetime) -> None:
        """Add one slot."""
        if slot.lease_until <= now:
            self.lost += 1
        elif slot.token is not None:
            self.busy += 1
        elif slot.idle_since is not None:
            self.idle += 1
        else:
            self.other += 1


@dataclass(slots=True)
class Worker(Places):
    """One worker, all processes of its pool."""

    queues: list[str] = field(default_factory=list)
    since: datetime | None = None


@dataclass(slots=True)
class Queue(Places):
    """One queue: who listens to it, and what waits there."""

    #: Messages that should be travelling, and since when the oldest does.
    waiting: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """All of it, at one moment."""

    leader: Lead
    workers: list[Worker]
    queues: list[Queue]


def cluster() -> Cluster:
    """Read the cluster in three queries."""
    now = timezone.now()
    slots = list(Slot.objects.order_by("worker", "id"))
    return Cluster(_leader(now), _workers(slots, now), _queues(slots, now))


def _leader(now: datetime) -> Lead:
    row = Leader.objects.filter(pk=1).first()
    if row is None:
        return Lead("", 0, None, now, is_leading=False)
    return Lead(row.holder, row.term, row.since, row.until, is_leading=row.until > now)


def _workers(slots: Iterable[Slot], now: datetime) -> list[Worker]:
    workers: dict[str, Worker] = {}
    for slot in slots:
        worker = workers.setdefault(slot.worker, Worker(slot.worker))
        worker.count(slot, now)
        worker.queues = sorted({*worker.queues, *slot.queues})
        worker.since = min(filter(None, (worker.since, slot.started_at)))
    return list(workers.values())


def _queues(slots: Iterable[Slot], now: datetime) -> list[Queue]:
    queues: dict[str, Queue] = {}
    for slot in slots:
        for name in slot.queues:
            queues.setdefault(name, Queue(name)).count(slot, now)
    hints = Hint.objects.values("queue").annotate(n=Count("*"), oldest=Min("released_at"))
    for row in hints:
        queue = queues.setdefault(row["queue"], Queue(row["queue"]))
        queue.waiting, queue.oldest = row["n"], row["oldest"]
    return [queues[name] for name in sorted(queues)]
