"""The event loop of a worker process: one, in a thread of its own, for all of its async nodes.

It lives beside the thread that runs the Celery task, so that a deadline can interrupt the waiting
thread (an exception raised inside a running loop would corrupt it), and so that it survives from
task to task: connection pools of async clients stay warm.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

from celesta_worker.interrupts import NodeInterrupted

T = TypeVar("T")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def get() -> asyncio.AbstractEventLoop:
    """The loop of this process, started on first use."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(
                target=_run, args=(_loop,), name="celesta-asyncio", daemon=True
            ).start()
        return _loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    while not loop.is_closed():
        # asyncio lets these two out of the loop after it has given them to the task's waiter.
        # A node that calls sys.exit() must not stop the others.
        with suppress(SystemExit, KeyboardInterrupt):
            loop.run_forever()


class Running(Generic[T]):
    """A coroutine on the loop, seen from another thread."""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, T],
        when_done: Callable[[Running[T]], None] | None = None,
    ) -> None:
        """Start it. ``when_done`` is called on the loop's thread when it has ended."""
        self._coroutine = coroutine
        self._when_done = when_done
        self._task: asyncio.Task[T] | None = None
        self._ended: Future[T] = Future()
        self._loop = get()
        self._loop.call_soon_threadsafe(self._start)

    def result(self, timeout: float | None = None) -> T:
        """Wait for what it returns or raises; CancelledError after :meth:`cancel`."""
        return self._ended.result(timeout)

    def cancel(self) -> None:
        """Ask it to stop. It has stopped when :meth:`result` returns or raises."""
        self._loop.call_soon_threadsafe(self._cancel)

    def _start(self) -> None:
        self._task = self._loop.create_task(self._coroutine)
        self._task.add_done_callback(self._finish)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _finish(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            self._ended.set_exception(CancelledError())
        elif error := task.exception():
            self._ended.set_exception(error)
        else:
            self._ended.set_result(task.result())
        if self._when_done is not None:
            self._when_done(self)


def wait_for(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the loop and wait for its end.

    When the waiting thread is interrupted, the coroutine is cancelled, its end awaited (a body must
    not go on after its node was given up) and the interruption raised.
    """
    running = Running(coroutine)
    try:
        return running.result()
    except NodeInterrupted:
        running.cancel()
        with suppress(BaseException):  # whatever it says now, the interruption is the answer
            running.result()
        raise


def _forget() -> None:
    # A forked child has the parent's loop object, but not the thread that ran it.
    global _lock, _loop
    _lock, _loop = threading.Lock(), None


os.register_at_fork(after_in_child=_forget)
