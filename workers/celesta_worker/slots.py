"""The slot of this thread: its row, its page, and calls that survive a lost connection."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

from celesta import conf
from celesta.runs import transitions
from celesta.runs.calls import Claim, Claimed, Completion, Report, Sent
from celesta_worker.page import SlotPage, WorkerPage

logger = logging.getLogger("celesta.slot")

T = TypeVar("T")
#: Seconds for which a slot tries to reach the database before it lets go of what it holds.
PATIENCE = 60.0


class Slot:
    """One place where nodes run. Used by one thread only."""

    def __init__(self, worker: str, worker_pid: int, queues: Sequence[str]) -> None:
        self.worker, self.queues = worker, tuple(queues)
        self.lease: float = conf.get("LEASE")
        self.page = SlotPage(worker_pid, os.getpid(), threading.get_ident())
        self.worker_page = WorkerPage(worker_pid)
        self.token = 0
        self.seq = 0
        self.register()

    def register(self) -> None:
        """Get a new row: the first one, or after the lease was lost."""
        self.page.slot = transitions.register_slot(
            self.worker, os.getpid(), self.queues, self.lease
        )
        self.page.hold(0, 0)

    @property
    def id(self) -> int:
        """Primary key of the slot's row."""
        return self.page.slot

    def claim(
        self, run: str, scope: int | None, node: int | None, hint: int | None, via: str, take: int
    ) -> Claim:
        """Answer a message; a slot that lost its lease registers again first."""
        self.token, self.seq = random.getrandbits(62) | 1, 0
        self.page.hold(self.token, 0)

        def call() -> Claim:
            return transitions.claim(
                self.id, self.token, run, scope=scope, node=node, hint=hint, via=via, take=take,
                lease=self.lease,
            )  # fmt: skip

        def known() -> Claim | None:
            held = transitions.held(self.id, self.token)
            if held is None:
                return None
            from celesta.engine import plans

            version = plans.version_of(run)
            return Claim(
                "claimed", version, held.claimed, held.wave, wave_left=held.wave is not None
            )

        claim = self._surely(call, known)
        if claim.answer == "no_slot":
            self.register()
            self.page.hold(self.token, 0)
            claim = self._surely(call, known)
        if claim.answer == "claimed":
            self.page.hold(self.token, 0, held=len(claim.claimed))
        else:
            self.page.hold(0, 0)
        return claim

    def complete(
        self,
        run: str,
        reports: Sequence[Report],
        *,
        rest: Sequence[Claimed],
        back: Sequence[Claimed] = (),
        keep: int,
        wave: int | None,
        leave: bool = False,
        begun: int = 0,
    ) -> Completion:
        """Report and go on; the page then says what is held, of it ``begun`` rows of ``rest``."""
        self.seq += 1
        calling = time.monotonic()

        def call() -> Completion:
            # Ages count to the call that carries them, not to the first that failed.
            late = time.monotonic() - calling
            return transitions.complete(
                self.id, self.token, self.seq, run,
                [_older(r, late) for r in reports] if late > 0.1 else reports,
                rest=rest, back=back, queues=self.queues, keep=keep, wave=wave, leave=leave,
                lease=self.lease,
            )  # fmt: skip

        def known() -> Completion | None:
            if transitions.last_seq(self.id) != self.seq:
                return None
            refused = transitions.not_standing(run, reports)
            held = transitions.held(self.id, self.token)
            if held is None:
                # Whatever the answer was: what we went on with has been taken from us.
                return Completion("no_slot" if rest else "going", refused)
            before = {(c.scope, c.node) for c in rest}
            new = tuple(c for c in held.claimed if (c.scope, c.node) not in before)
            # What was released by the lost answer is published by the leader.
            return Completion("going", refused, new, wave_left=held.wave is not None)

        completion = self._surely(call, known)
        holds = bool(rest or completion.claimed or completion.wave_left)
        if completion.answer != "going" or not holds:
            self.page.hold(0, self.seq)
        else:
            self.page.hold(self.token, self.seq, begun, len(rest) + len(completion.claimed))
        return completion

    def expand(
        self,
        run: str,
        node: Claimed,
        items: Sequence[str],
        *,
        chunk: int,
        tolerate: int,
        max_parallel: int | None,
        rest: Sequence[Claimed],
    ) -> tuple[str, tuple[Sent, ...]]:
        """Write a map's items in chunks; a lost connection begins it anew with the next attempt."""
        answer = "going"
        sent: tuple[Sent, ...] = ()
        begun, held = self.page.begun, self.page.held
        for offset in range(0, len(items), chunk):
            self.seq += 1
            answer, sent = transitions.expand(
                self.id, self.token, self.seq, run, node, items[offset : offset + chunk],
                offset=offset, total=len(items), tolerate=tolerate, max_parallel=max_parallel,
                rest=rest, lease=self.lease,
            )  # fmt: skip
            if answer != "going":
                break
            # Else a process that dies here would seem not to have begun: and again, for ever.
            self.page.hold(self.token, self.seq, begun, held)
        if answer == "going":
            self.page.hold(self.token, self.seq, begun - 1, len(rest))
        return answer, sent

    def _surely(self, call: Callable[[], T], known: Callable[[], T | None]) -> T:
        """Call until the outcome is known: after an error, ask by token before calling again."""
        deadline, pause = time.monotonic() + PATIENCE, 0.05
        try:
            return call()
        except psycopg.OperationalError as error:
            logger.warning("lost the database in mid call (%s); asking again", error)
        while True:
            time.sleep(random.uniform(0, pause))  # noqa: S311
            pause = min(pause * 2, 2.0)
            try:
                answer = known()
                return call() if answer is None else answer
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise


def _older(report: Report, seconds: float) -> Report:
    from dataclasses import replace

    return replace(report, began=report.began + seconds, ended=report.ended + seconds)


def abandon() -> None:
    """Let the lease of this thread's slot run out: others take back what it holds."""
    if _local.slot is not None and _local.pid == os.getpid():
        _local.slot.page.hold(0, 0)


class _Local(threading.local):
    slot: Slot | None = None
    pid: int = 0


_local = _Local()


class Worker:
    """What the slots of a process need to know of their worker; set before the pool forks."""

    name: str = ""
    pid: int = 0
    queues: tuple[str, ...] = ()


def current() -> Slot:
    """The slot of this thread, registered at its first use."""
    if _local.slot is None or _local.pid != os.getpid():
        _local.slot = Slot(Worker.name, Worker.pid or os.getpid(), Worker.queues)
        _local.pid = os.getpid()
    return _local.slot
