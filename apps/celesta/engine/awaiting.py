"""Wait until a run has reached a state."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db import connections

from celesta.runs.errors import RunNotFound
from celesta.runs.models import Run
from celesta.runs.states import RunState, is_terminal

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5


def await_run(run_id: UUID, states: Collection[str], timeout: float) -> Run:
    """The run as soon as it is in one of the states or can never be, or when ``timeout`` is over.

    ``timeout`` is in seconds. A state that was reached before returns at once. Without ``states``,
    any final state is awaited. Raises RunNotFound.
    """
    deadline, pause = time.monotonic() + timeout, FIRST_PAUSE
    while True:
        run: Run | None = Run.objects.filter(pk=run_id).first()
        if run is None:
            raise RunNotFound
        left = deadline - time.monotonic()
        if run.state in states or is_terminal(RunState(run.state)) or left <= 0:
            return run
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)


async def await_run_async(run_id: UUID, states: Collection[str], timeout: float) -> Run:  # noqa: ASYNC109 - not ended, answered
    """As :func:`await_run`, but no thread and no connection is held between two looks."""
    deadline, pause = time.monotonic() + timeout, FIRST_PAUSE
    while True:
        run, is_over = await _look(run_id, states)
        left = deadline - time.monotonic()
        if is_over or left <= 0:
            return run
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)


@sync_to_async
def _look(run_id: UUID, states: Collection[str]) -> tuple[Run, bool]:
    run = await_run(run_id, states, timeout=0)
    give_back_connections()
    return run, run.state in states or is_terminal(RunState(run.state))


def give_back_connections() -> None:
    """A thousand callers that wait must not hold a thousand connections while they sleep."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()
