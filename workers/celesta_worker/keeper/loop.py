"""The keeper's thread."""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from typing import Any

from celery.worker import state

from celesta import conf
from celesta.engine import leader
from celesta.engine.leader import Lead
from celesta.runs import connection
from celesta_worker.keeper.deadlines import Deadlines
from celesta_worker.keeper.forks import ForkGuard
from celesta_worker.keeper.leading import Leading
from celesta_worker.keeper.leases import Leases
from celesta_worker.keeper.relief import Relief
from celesta_worker.keeper.weather import Weather
from celesta_worker.page import WorkerPage

logger = logging.getLogger("celesta.keeper")

#: Seconds between two looks at the pages.
TICK = 0.2
#: Seconds that the end may take: the last slots are freed, the lead is left.
ENDING = 8.0


class KeeperThread(threading.Thread):
    """Looks at the pages five times a second, and does the database's work once a second.

    ``worker`` is Celery's WorkController. The worker's page exists from the beginning, so that
    processes forked before :meth:`start` find it.
    """

    def __init__(self, worker: Any) -> None:
        super().__init__(name="celesta-keeper", daemon=True)
        self._worker = worker
        self._page = WorkerPage(os.getpid(), create=True)
        self._stopping = False
        self._ending = threading.Event()
        self._guard = ForkGuard()
        self._weather = Weather()
        self._deadlines = Deadlines()
        self._relief = Relief()
        self._leases = Leases(self._deadlines)
        self._leading: Leading | None = None
        self._next_work = self._next_lead = 0.0
        self._talk()

    def hand_back(self) -> None:
        """Tell the slots to hand back: the worker shuts down. Safe in a signal handler."""
        self._stopping = True
        self._talk()

    def end(self) -> None:
        """The pool has ended; free what its slots held, leave the lead, and end."""
        self._ending.set()
        if self.is_alive():
            self.join(ENDING)
        self._page.remove()

    def run(self) -> None:
        """Until :meth:`end`."""
        while not self._ending.wait(TICK):
            with self._weather.watch():
                self._tick()
        with self._weather.watch():
            self._finish()
        connection.close()

    def _tick(self) -> None:
        self._talk()
        self._deadlines.enforce()
        now = time.monotonic()
        if self._weather.is_bad:
            return
        for path, view in self._relief.due():
            with self._guard.section():
                self._relief.give(path, view)
        if now >= self._next_work:
            with self._guard.section():
                self._leases.keep(idle=self._is_free())
            self._next_work = now + conf.get("KEEPER_INTERVAL")
        if now >= self._next_lead and not self._is_leading():
            with self._guard.section():
                self._try_lead()

    # -- what the processes are told

    def _talk(self) -> None:
        consumer = getattr(self._worker, "consumer", None)
        self._page.write(
            stopping=self._stopping,
            backlog=_backlog(),
            events=_sends_task_events(getattr(consumer, "event_dispatcher", None)),
        )

    def _is_free(self) -> bool:
        """True when a process without a token has nothing to do: other tasks use the pool too."""
        size = getattr(self._worker.pool, "num_processes", 0) or self._worker.concurrency
        return _backlog() == 0 and len(state.active_requests) < size

    # -- leading

    def _is_leading(self) -> bool:
        return self._leading is not None and self._leading.is_alive()

    def _try_lead(self) -> None:
        holder = f"{socket.gethostname()}:{os.getpid()}"
        term = leader.try_lead(holder, conf.get("LEADER_TERM"))
        if term is not None:
            self._leading = Leading(Lead(holder, term))
            self._leading.start()
            return
        # When the present term would end, not later: a dead leader is missed at once.
        pause = min(conf.get("KEEPER_INTERVAL"), leader.seconds_left()) + random.uniform(0, 0.2)  # noqa: S311
        self._next_lead = time.monotonic() + pause

    # -- the end

    def _finish(self) -> None:
        if self._leading is not None:
            self._leading.end()
            self._leading.join(ENDING / 2)
        self._leases.end()


def _sends_task_events(dispatcher: Any) -> bool:
    """True while somebody asked for events of tasks; a worker's own (heartbeats) are always on."""
    if dispatcher is None or not dispatcher.enabled:
        return False
    return not dispatcher.groups or "task" in dispatcher.groups


def _backlog() -> int:
    """Messages that the worker has received and not yet given to a process."""
    return max(0, len(state.reserved_requests) - len(state.active_requests))
