"""The first SIGTERM to a worker's whole group means: hand back; the main process ends us in order.

Billiard gives its pool processes a handler that raises SystemExit wherever they are, after Celery's
own start-up signals. So ours is put in place around each lane, and only there: a task of the
project's own is ended by a SIGTERM as ever (so works ``revoke(terminate=True)``).
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

from celesta_worker.slots import Slot, Worker


class HandBackFirst:
    """Around the work of a lane: the first SIGTERM asks it to hand back, the second one ends it."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self._before: Any = None

    def __enter__(self) -> None:
        # On the solo and thread pools the signal is the main process's, hence Celery's.
        if os.getpid() != Worker.pid and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._asked)

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)

    def _asked(self, *_: Any) -> None:
        self.slot.worker_page.write(stopping=True, backlog=0, events=False)
        signal.signal(signal.SIGTERM, self._before)
