"""Keeping forks out of the keeper's critical sections.

The pool replaces dead processes by forking the main process, in which the keeper's threads run. A
fork in the middle of opening a connection, say, would leave the child with locks of libraries that
no thread of it will ever release.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

#: Seconds for which a fork waits. A database that hangs must not keep the pool from replacing a
#: dead process for longer: most sections that last are waits for an answer, and harmless.
PATIENCE = 1.0


class ForkGuard:
    """One thread's critical sections; :meth:`section` is held while a fork would be unsafe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held_for_fork = False
        _guards.add(self)

    @contextmanager
    def section(self) -> Iterator[None]:
        """No fork begins in here, and this waits for one under way."""
        with self._lock:
            yield

    def _before(self, until: float) -> None:
        self._held_for_fork = self._lock.acquire(timeout=max(0.0, until - time.monotonic()))

    def _after_in_parent(self) -> None:
        if self._held_for_fork:
            self._held_for_fork = False
            self._lock.release()

    def _after_in_child(self) -> None:
        self._lock, self._held_for_fork = threading.Lock(), False


_guards: WeakSet[ForkGuard] = WeakSet()


def _before() -> None:
    until = time.monotonic() + PATIENCE
    for guard in list(_guards):
        guard._before(until)  # noqa: SLF001 - this module's own


def _after_in_parent() -> None:
    for guard in list(_guards):
        guard._after_in_parent()  # noqa: SLF001


def _after_in_child() -> None:
    for guard in list(_guards):
        guard._after_in_child()  # noqa: SLF001


os.register_at_fork(
    before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
)
