"""Deadlines of bodies: told softly first, then the process is ended.

Celery's time limits count from the message; a slot that goes on with other nodes never meets them.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

from celesta import conf
from celesta_worker import page
from celesta_worker.interrupts import SOFT_SIGNAL
from celesta_worker.page import SlotView

logger = logging.getLogger("celesta.keeper")

#: Seconds before a body that goes on is told again: it may have caught what was raised.
AGAIN = 1.0


class Deadlines:
    """What was done about which body. Bodies are told apart by their page and serial."""

    def __init__(self) -> None:
        self._told: dict[Path, tuple[int, float]] = {}
        self._ended: dict[Path, int] = {}

    def enforce(self) -> None:
        """Tell bodies over their deadline, and end the processes of those told long enough ago."""
        now = time.monotonic()
        for path, view in page.slots_of(os.getpid()):
            if not view.in_body or not 0 < view.deadline < now:
                continue
            if now < view.deadline + conf.get("HARD_TIMEOUT_GRACE"):
                self.ask(path, view)
            elif not self.ended(path, view):
                self._ended[path] = view.serial
                _end(view)

    def ask(self, path: Path, view: SlotView) -> None:
        """Raise in the body that the page tells of, if it is still in it; once a second."""
        serial, at = self._told.get(path, (0, 0.0))
        if not view.in_body or (serial == view.serial and time.monotonic() - at < AGAIN):
            return
        self._told[path] = view.serial, time.monotonic()
        with suppress(OSError):  # it has just ended by itself
            if _takes_signals(view):
                page.ask(path, view.serial)
                os.kill(view.pid, SOFT_SIGNAL)

    def ended(self, path: Path, view: SlotView) -> bool:
        """True when the body that the page tells of was given up at its deadline."""
        return view.in_body and self._ended.get(path) == view.serial

    def forget(self, path: Path) -> None:
        """The page is gone."""
        self._told.pop(path, None)
        self._ended.pop(path, None)


def _takes_signals(view: SlotView) -> bool:
    """True when the signal reaches the body: a main thread takes signals, if it listens."""
    if view.pid != os.getpid():
        return True
    listens = callable(signal.getsignal(SOFT_SIGNAL))
    return listens and view.thread == threading.main_thread().ident


def _end(view: SlotView) -> None:
    """Kill the process of a body, unless it is this one."""
    if view.pid == os.getpid():
        logger.error(
            "a node of thread %d did not end at its deadline; its slot is lost until it does",
            view.thread,
        )
        return
    logger.error("process %d did not end its node at the deadline; it is killed", view.pid)
    with suppress(ProcessLookupError):
        os.kill(view.pid, signal.SIGKILL)
