"""Many async nodes in flight in one slot: the runner starts them and takes them as they end."""

from __future__ import annotations

import asyncio
import queue
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from celesta_worker.asyncio_loop import Running
from celesta_worker.context import NodeContext
from celesta_worker.execute import Prepared, execute_async
from celesta_worker.finish import Finished
from celesta_worker.reset import reset_after_async_nodes

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Done(Generic[K]):
    """One node of a batch that has ended."""

    key: K
    #: None when it was cancelled by :meth:`AsyncBatch.cancel`: hand it back.
    finished: Finished | None
    started_at: datetime
    #: How long it took.
    seconds: float


class AsyncBatch(Generic[K]):
    """Nodes on the process's event loop, at most ``limit`` at once. Used by one thread.

    ::

        batch = AsyncBatch(limit=200)
        while batch.in_flight or more:
            while batch.free and more: batch.start(key, prepared, context)
            for done in batch.take(timeout=0.05): ...
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._running: dict[K, Running[Done[K]]] = {}
        self._ended: queue.SimpleQueue[K] = queue.SimpleQueue()

    @property
    def in_flight(self) -> int:
        """Nodes started and not yet taken."""
        return len(self._running)

    @property
    def free(self) -> int:
        """How many more may be started now."""
        return max(0, self.limit - len(self._running))

    def start(self, key: K, prepared: Prepared, context: NodeContext) -> None:
        """Start one node; ``key`` (unique in the batch) names it in what :meth:`take` returns."""
        if key in self._running:
            raise ValueError(f"{key!r} is already in flight")
        self._running[key] = Running(
            _timed(key, prepared, context), when_done=lambda _: self._ended.put(key)
        )

    def take(self, timeout: float | None = None) -> list[Done[K]]:
        """All that have ended; waits up to ``timeout`` seconds (None: for ever) for the first."""
        if not self._running:
            return []
        try:
            keys = [self._ended.get(timeout=timeout)]
        except queue.Empty:
            return []
        while not self._ended.empty():
            keys.append(self._ended.get())
        taken = [_result(key, self._running.pop(key)) for key in keys]
        if not self._running:
            reset_after_async_nodes()
        return taken

    def cancel(self) -> None:
        """Ask everything in flight to stop; :meth:`take` then returns it with ``finished`` None."""
        for running in self._running.values():
            running.cancel()


def _result(key: K, running: Running[Done[K]]) -> Done[K]:
    try:
        return running.result()
    except CancelledError:  # cancelled before it had begun
        return Done(key, None, datetime.now(UTC), 0.0)


async def _timed(key: K, prepared: Prepared, context: NodeContext) -> Done[K]:
    started_at, began = datetime.now(UTC), time.monotonic()
    finished: Finished | None
    try:
        finished = await execute_async(prepared, context)
    except asyncio.CancelledError:
        finished = None
    return Done(key, finished, started_at, time.monotonic() - began)
