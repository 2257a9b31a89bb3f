"""The keeper as a part of Celery's worker."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from celery.signals import worker_shutting_down

from celesta_worker.keeper.loop import KeeperThread


class Keeper(bootsteps.StartStopStep):
    """Starts before the pool forks and stops when its last process has ended.

    Bootsteps can only say what they come after, so this one puts itself first in the worker's list.
    """

    label = "Celesta keeper"

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._thread = KeeperThread(worker)

    def include(self, worker: Any) -> bool:
        """Be the first to start and the last to stop."""
        worker.steps.insert(0, self)
        return True

    def start(self, _worker: Any) -> None:
        """Keep the slots from now on."""
        worker_shutting_down.connect(self._hand_back, weak=False)
        self._thread.start()

    def close(self, _worker: Any) -> None:
        """The worker takes no more messages."""
        self._thread.hand_back()

    def stop(self, _worker: Any) -> None:
        """Every process of the pool has ended."""
        worker_shutting_down.disconnect(self._hand_back)
        self._thread.end()

    def terminate(self, worker: Any) -> None:
        """As :meth:`stop`, after a cold shutdown."""
        self.stop(worker)

    def _hand_back(self, **_: Any) -> None:
        self._thread.hand_back()
