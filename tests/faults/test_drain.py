"""A worker that is told to end while its processes have only just been given something."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from project.celery import app
from tests.faults.conftest import Stage
from tests.processes import WorkerProcess, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


def _send(stage: Stage, worker: WorkerProcess, key: str) -> None:
    """Send a task of the project's own, and wait until the worker's pool has it."""
    arguments = {"log": str(stage.log), "key": key}
    task = app.send_task("test.shared_mark", kwargs=arguments, queue=stage.queue)
    wait_for(lambda: f"test.shared_mark[{task.id}] received" in worker.output(), 30, worker.output)


def _left_on_queue(stage: Stage) -> int:
    """Messages that the broker would deliver to the next worker."""
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        found = channel.queue_declare(stage.queue, passive=True)
        return int(found.message_count)


def test_what_a_process_was_given_before_the_end_is_done_once_and_counted(stage: Stage) -> None:
    # Given a worker whose only process is held up (after its first task: until it is up, it is
    # given nothing),
    worker = stage.worker(concurrency=1, arguments=("-l", "DEBUG"))
    _send(stage, worker, "up")
    wait_for(lambda: stage.bodies()["up"] == 1, 30, worker.output)
    (process,) = worker.children()
    os.kill(process, signal.SIGSTOP)
    try:
        # which is given a task that it cannot accept yet (when the second one is received, the
        # first one has been written to the process, if that had told the end of its last one),
        _send(stage, worker, "first")
        _send(stage, worker, "second")
        # when the worker is told to end, and the process goes on,
        worker.kill(signal.SIGTERM)
        wait_for(lambda: "Stopping Pool" in worker.output(), 30, worker.output)
    finally:
        os.kill(process, signal.SIGCONT)
    assert worker.wait_ended(60) == 0
    # then the process did not wait in vain for its results to be read,
    assert "could not ensure all messages were consumed" not in worker.output()
    # and nothing was lost or done twice: what was done does not go back to the queue.
    done = stage.bodies()
    assert set(done.values()) == {1}
    assert len(done) + _left_on_queue(stage) == 3
