"""Who leads: one row of the database, a holder under a numbered term, by the database's clock.

A leader does what concerns all workers: timers, runs past their deadline, slots whose lease has
ended, messages that were lost. Nothing needs session state, so it works through pgbouncer. Two
processes may believe for a moment that they lead (one was stopped in mid duty, say): every duty
re-reads what it changes under lock, so nothing happens twice.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from uuid import UUID

import psycopg

from celesta import conf
from celesta.engine import canvas, plans
from celesta.runs import upkeep
from celesta.runs.calls import Sent, VersionKey

logger = logging.getLogger("celesta.leader")

#: Seconds for which an item whose duty failed is left out, so that it does not hold up the others.
QUARANTINE = 60.0


class LeadLost(Exception):
    """This process does not lead any more."""


def try_lead(holder: str, seconds: float, term: int | None = None) -> int | None:
    """Lead for ``seconds``: begin a term when nobody leads, or go on with ``term``, one's own.

    Returns the term, or None when somebody else leads. A holder that does not know its term (it was
    started anew under the same name) waits for the end of it like everybody else.
    """
    return upkeep.take_lead(holder, seconds, term)


def leads(holder: str, term: int) -> bool:
    """True while that term lasts."""
    return upkeep.leads(holder, term)


def seconds_left() -> float:
    """Seconds until the present term ends, if its holder does not go on; when to try again."""
    return upkeep.leader_left()


def resign(holder: str, term: int) -> bool:
    """End one's own term now, so that another takes over at once."""
    return upkeep.resign(holder, term)


class Lead:
    """A term that this process holds, and what its duties share. Used by one thread."""

    def __init__(self, holder: str, term: int) -> None:
        self.holder, self.term = holder, term
        self.seconds: float = conf.get("LEADER_TERM")
        self._confirmed = time.monotonic()
        self._quarantine: dict[UUID | int, float] = {}
        #: What is to be published, with the version of its run when that is known.
        self._outbox: deque[tuple[tuple[Sent, ...], VersionKey | None]] = deque()

    def confirm(self) -> None:
        """Before every write of a duty: go on with the term when a part of it has passed.

        Raises LeadLost when another one leads.
        """
        now = time.monotonic()
        if now - self._confirmed < self.seconds / 4:
            return
        term = try_lead(self.holder, self.seconds, self.term)
        if term != self.term:
            if term is not None:  # nobody had led meanwhile, but somebody might have
                resign(self.holder, term)
            raise LeadLost
        self._confirmed = now

    # -- items that fail

    def skipped_runs(self) -> list[UUID]:
        """The runs that are left out for now."""
        return [key for key in self._skipped() if isinstance(key, UUID)]

    def skipped_slots(self) -> list[int]:
        """The slots that are left out for now."""
        return [key for key in self._skipped() if isinstance(key, int)]

    def _skipped(self) -> Iterable[UUID | int]:
        now = time.monotonic()
        self._quarantine = {key: end for key, end in self._quarantine.items() if end > now}
        return self._quarantine

    def guard(self, item: UUID | int, duty: Callable[[], object]) -> None:
        """Do the part of a duty that concerns one run (its UUID) or slot (its number).

        When it fails, that is logged and the item left out for a while. Raises LeadLost, and
        psycopg.OperationalError when the database cannot be reached.
        """
        self.confirm()
        try:
            duty()
        except (psycopg.OperationalError, LeadLost):
            raise
        except Exception:  # one run that cannot be served must not stop time for all others
            logger.exception("a duty of the leader failed for %s; trying again later", item)
            self._quarantine[item] = time.monotonic() + QUARANTINE

    # -- what duties release

    def release(self, sent: tuple[Sent, ...], version: VersionKey | None = None) -> None:
        """Publish soon what a duty has released for one run."""
        if sent:
            self._outbox.append((sent, version))

    def publish(self, budget: float) -> None:
        """Publish what was released, for at most ``budget`` seconds; the rest at the next call.

        What the broker does not take is found as lost and sent again.
        """
        until = time.monotonic() + budget
        while self._outbox and time.monotonic() < until:
            self.confirm()
            sent, version = self._outbox.popleft()
            loaded = plans.of_run(sent[0].run) if version is None else plans.load(version)
            if loaded is not None and not canvas.publish(loaded.plan, sent):
                self._outbox.clear()
