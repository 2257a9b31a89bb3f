"""Leases of a worker's slots: extended while the process lives, ended at once when it is dead."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from celesta import conf
from celesta.runs import transitions, upkeep
from celesta.runs.states import RunState, is_terminal
from celesta_worker import page
from celesta_worker.keeper import burial
from celesta_worker.keeper.deadlines import Deadlines
from celesta_worker.page import SlotView
from celesta_worker.processes import ProcessState, is_dead, state_of
from celesta_worker.slots import Worker

logger = logging.getLogger("celesta.keeper")

#: Seconds without any slot after which the keeper registers one in place of those to come.
STAND_IN_AFTER = 3.0

Pages = list[tuple[Path, SlotView]]


class Leases:
    """The slots of one worker, by their pages. Used by the keeper's thread only."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        #: When the process of a page was found dead. A call of it may still be on its way to the
        #: database, so it is looked after for a while.
        self._graves: dict[Path, float] = {}
        self._stand_in: int | None = None
        self._seen = time.monotonic()

    def keep(self, *, idle: bool) -> None:
        """One round over all pages. ``idle``: whether processes without a token are free."""
        living: Pages = []
        for path, view in page.slots_of(os.getpid()):
            match state_of(view.pid, parent=_parent_of(view)):
                case ProcessState.DEAD:
                    self._bury(path, view)
                case ProcessState.STOPPED:
                    burial.take_back_stopped(view)
                case ProcessState.ALIVE:
                    self._graves.pop(path, None)
                    living.append((path, view))
                    if self._deadlines.ended(path, view):  # a thread, which cannot be killed
                        burial.time_out(view)
        self._extend(living, idle=idle)
        self._bury_orphans()

    def end(self) -> None:
        """The pool has ended: nothing of it runs on, threads included."""
        ended = []
        for path, view in page.slots_of(os.getpid()):
            if view.pid == os.getpid() or is_dead(view.pid):
                burial.bury(view)
                path.unlink(missing_ok=True)
                ended.append(view.slot)
        upkeep.retire_slots(ended)
        self._end_stand_in()

    def _extend(self, living: Pages, *, idle: bool) -> None:
        tokens = {view.slot: view.token or None for _, view in living if view.slot}
        tokens |= self._stand_in_for(tokens)
        states = upkeep.extend(tokens, conf.get("LEASE"), idle=idle)
        for path, view in living:
            state = states.get(view.slot)
            if state is not None and _is_over(RunState(state)):
                self._deadlines.ask(path, view)

    def _stand_in_for(self, slots: dict[int, int | None]) -> dict[int, int | None]:
        """A row of our own while there is no slot: threads make theirs with the first message.

        Idle slots are how the leader knows that a message which nobody answers was lost.
        """
        now = time.monotonic()
        if slots:
            self._seen = now
            self._end_stand_in()
            return {}
        if self._stand_in is None and now - self._seen > STAND_IN_AFTER and Worker.queues:
            self._stand_in = transitions.register_slot(
                Worker.name, os.getpid(), Worker.queues, conf.get("LEASE")
            )
        return {} if self._stand_in is None else {self._stand_in: None}

    def _end_stand_in(self) -> None:
        if self._stand_in is not None:
            transitions.take_back(self._stand_in, None, force=True)
            upkeep.retire_slots([self._stand_in])
            self._stand_in = None

    def _bury(self, path: Path, view: SlotView) -> None:
        if path not in self._graves and view.token:
            logger.warning("process %d is dead; others go on with what it held", view.pid)
        if not (self._deadlines.ended(path, view) and burial.time_out(view)):
            burial.bury(view)
        died = self._graves.setdefault(path, time.monotonic())
        if time.monotonic() - died > conf.get("LEASE"):
            path.unlink(missing_ok=True)
            if not view.token:  # it ended between two nodes, as the pool's processes do in time
                upkeep.retire_slots([view.slot])
            self._deadlines.forget(path)
            del self._graves[path]

    def _bury_orphans(self) -> None:
        """Do the same for killed workers of this machine, before their leases end."""
        for worker in page.workers() - {os.getpid()}:
            if not is_dead(worker):
                continue
            pages = list(page.slots_of(worker))
            for path, view in pages:
                if is_dead(view.pid):
                    self._bury(path, view)
            if not pages:
                page.forget(worker)


def _parent_of(view: SlotView) -> int | None:
    """Whose child the process has to be: a dead one's number may be another's by now."""
    return None if view.pid == os.getpid() else os.getpid()


def _is_over(state: RunState) -> bool:
    return state is RunState.CANCELLING or is_terminal(state)
