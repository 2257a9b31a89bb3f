"""What may be thrown into a node's body from outside. Neither is an ``Exception``.

A node's own ``except Exception`` must not swallow a deadline or a request to hand back, so both
come from :class:`BaseException`. The keeper sends a signal; the handler raises only while a body
runs, so that the runner's own steps (a report half sent, say) are never interrupted.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import Any, Final

#: Sent by the keeper to a pool process whose body is over its deadline or no longer wanted.
#: (Celery uses SIGUSR1 for its own soft time limits.)
SOFT_SIGNAL: Final = signal.SIGUSR2


class NodeInterrupted(BaseException):
    """The worker wants its slot back: the node is handed back, not failed."""


class SoftTimeout(NodeInterrupted):
    """The node ran longer than its timeout allows."""


class _Body:
    """The body that runs in this process's main thread, if one does."""

    running: Interruptible | None = None


class Interruptible:
    """Around a node's body; ``deadline`` is monotonic seconds, 0 for none.

    Only the main thread can be reached by a signal, so bodies on thread pools run to their end.
    """

    __slots__ = ("deadline",)

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            _Body.running = self

    def __exit__(self, *_: object) -> None:
        _Body.running = None

    def is_meant(self) -> bool:
        """True when the signal that came is for this body, not for the one before it."""
        return True


def listen() -> None:
    """Let this process's bodies be interrupted; called in the main thread of a pool process."""
    signal.signal(SOFT_SIGNAL, _interrupt)


def _interrupt(*_: Any) -> None:
    body = _Body.running
    if body is None or not body.is_meant():
        return
    _Body.running = None  # once: the body's own cleanup must not be interrupted again
    if body.deadline and time.monotonic() >= body.deadline:
        raise SoftTimeout
    raise NodeInterrupted
