"""The leader's duties, at their intervals, for as long as the term can be kept."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID

from django.db import close_old_connections

from celesta.engine import leader, recovery, timers
from celesta.engine.leader import Lead, LeadLost
from celesta.runs import connection
from celesta.triggers import backfilling, schedules
from celesta_worker.keeper.forks import ForkGuard
from celesta_worker.keeper.weather import DATABASE_ERRORS, Weather

logger = logging.getLogger("celesta.leader")

#: Seconds between two rounds: how late a timer may be seen.
ROUND = 0.2
#: Seconds of each round for publishing what was released.
PUBLISHING = 1.0
#: Seconds of each round for starting slots of backfills, so that timers are not held up by them.
BACKFILLING = 0.5
#: Seconds between two looks for a backfill while there is none.
LOOK_FOR_BACKFILLS = 1.0


class Leading(threading.Thread):
    """Leads from its start until the term is lost, or :meth:`end`."""

    def __init__(self, lead: Lead) -> None:
        super().__init__(name="celesta-leader", daemon=True)
        self._lead = lead
        self._ending = threading.Event()
        self._guard = ForkGuard()
        self._weather = Weather()
        self._cancelling: set[UUID] = set()
        #: Duties with their interval in seconds, and when each is due.
        self._duties: list[tuple[float, Callable[[], object]]] = [
            (ROUND, lambda: timers.fire_due(self._lead)),
            (1.0, lambda: recovery.take_back_expired(self._lead)),
            (1.0, lambda: timers.end_overdue(self._lead)),
            (1.0, self._finish_cancelling),
            (1.0, lambda: recovery.resend_lost(self._lead)),
            (1.0, self._tick_schedules),
            (ROUND, self._advance_backfills),
            (60.0, lambda: recovery.tidy(self._lead)),
        ]
        self._due = [0.0] * len(self._duties)
        self._no_backfill_until = 0.0

    def end(self) -> None:
        """Leave the lead to others, at once."""
        self._ending.set()

    def run(self) -> None:
        """Do the duties; ends when the lead is lost."""
        logger.info("%s leads (term %d)", self._lead.holder, self._lead.term)
        try:
            while not self._ending.wait(ROUND):
                with self._weather.watch():
                    self._round()
            self._resign()
        except LeadLost:
            logger.info("%s does not lead any more", self._lead.holder)
        finally:
            connection.close()
            close_old_connections()

    def _round(self) -> None:
        if self._weather.is_bad:
            return
        for i, (interval, duty) in enumerate(self._duties):
            if self._ending.is_set() or time.monotonic() < self._due[i]:
                continue
            self._due[i] = time.monotonic() + interval
            with self._guard.section():
                self._lead.confirm()
                duty()
        with self._guard.section():
            self._lead.publish(PUBLISHING)

    def _finish_cancelling(self) -> None:
        self._cancelling = recovery.finish_cancelling(self._lead, self._cancelling)

    def _tick_schedules(self) -> None:
        close_old_connections()
        schedules.tick_missed()
        schedules.start_queued()
        close_old_connections()

    def _advance_backfills(self) -> None:
        if time.monotonic() < self._no_backfill_until:
            return
        close_old_connections()
        if backfilling.any_running():
            backfilling.advance_all(BACKFILLING, self._lead.confirm)
        else:
            self._no_backfill_until = time.monotonic() + LOOK_FOR_BACKFILLS
        close_old_connections()

    def _resign(self) -> None:
        try:
            leader.resign(self._lead.holder, self._lead.term)
        except DATABASE_ERRORS:
            logger.info("could not resign; the term ends by itself")
