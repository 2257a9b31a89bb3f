"""Ending a worker: what its processes have been given is theirs to finish, and is counted.

A warm shutdown of Celery (5.7) forgets the tasks that were written to a process and whose
acceptance it has not read yet (``Consumer.on_close`` -> ``AsynPool.flush``). The process does them
all the same, but nobody reads what it reports: the message goes back to the broker, so that a task
of the project's own runs twice; and the process waits 30 seconds for its results to be read
(billiard's ``_ensure_messages_consumed``), longer than most supervisors wait before they kill.
Messages that come in the moments before a shutdown are all it takes: a queue that is full when the
worker starts.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from celery import bootsteps
from celery.concurrency.asynpool import AsynPool

POOL: Final = "celery.worker.components:Pool"


class Drain(bootsteps.StartStopStep):
    """Has the pool remember what was given to its processes. Other pools than prefork forget
    nothing."""

    label = "Celesta drain"
    #: So it stops after the consumer, which makes the pool forget, and before the pool.
    requires = (POOL,)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._given: dict[int, Any] = {}

    def close(self, worker: Any) -> None:
        """The worker shuts down; no step of it has stopped yet."""
        pool = _prefork_pool(worker)
        if pool is None:
            return
        # None of this is promised by Celery: another release ends as it would without us.
        with suppress(AttributeError):
            self._given = {job: item for job, item in pool._cache.items() if _is_given(pool, item)}  # noqa: SLF001

    def stop(self, worker: Any) -> None:
        """The consumer has stopped; next, the pool reads results for as long as it knows of any."""
        pool = _prefork_pool(worker)
        if pool is not None and self._given:
            pool._cache.update(self._given)  # noqa: SLF001

    def terminate(self, worker: Any) -> None:
        """A cold shutdown waits for no task."""


def _prefork_pool(worker: Any) -> Any:
    """Celery's own pool of processes; None when the worker has another kind."""
    pool = getattr(getattr(worker, "pool", None), "_pool", None)
    return pool if isinstance(pool, AsynPool) else None


def _is_given(pool: Any, job: Any) -> bool:
    """True for a task that was written to a living process to its last byte, and not accepted."""
    process = getattr(job, "_write_to", None)
    if job._accepted or process is None or job in pool.outbound_buffer:  # noqa: SLF001
        return False
    writer = getattr(job, "_writer", None)
    return (writer is None or writer() not in pool._active_writers) and process._is_alive()  # noqa: SLF001
