"""The helper that starts real workers, used by everybody's integration tests."""

import signal
from collections.abc import Callable
from uuid import uuid4

import psutil

from tests.processes import WorkerProcess, wait_for


def test_real_worker_is_ready_and_ends_warmly(
    worker_process: Callable[..., WorkerProcess],
) -> None:
    # On queues of its own: others' messages wait in `default`, and a worker that is ended while it
    # takes its first ones may wait for half a minute (billiard's, for results to be read).
    worker = worker_process(queues=f"warm-{uuid4().hex[:8]},other-{uuid4().hex[:8]}", concurrency=2)
    assert "ready" in worker.output()
    assert len(worker.children()) == 2
    worker.kill(signal.SIGTERM)
    assert worker.wait_ended() == 0


def test_killed_worker_leaves_no_pool_processes(
    worker_process: Callable[..., WorkerProcess],
) -> None:
    worker = worker_process(concurrency=2)
    children = worker.children()
    worker.kill_all()
    wait_for(lambda: not any(psutil.pid_exists(child) for child in children))
