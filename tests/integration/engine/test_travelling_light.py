"""X14: nodes of one queue go on in the slot that ended the last one, and wide waves share messages.

Both are measured by the benchmark; here, messages are counted on the broker and commits by the
transactions that wrote a run's history.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from celesta.access.models import Workspace
from celesta.access.principals import SYSTEM
from celesta.engine.awaiting import await_run
from celesta.engine.start import start_run
from celesta.runs.connection import one
from celesta.runs.models import NodeRun, Run
from celesta.workflows.models import WorkflowVersion
from celesta.workflows.publishing import publish
from tests.processes import WorkerProcess
from tests.wire import Tap

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., WorkerProcess]


@pytest.fixture
def queue() -> str:
    """A queue of our own."""
    return f"light-{uuid4().hex[:8]}"


@pytest.fixture
def tap(broker_url: str, queue: str) -> Tap:
    """The messages of that queue."""
    if not broker_url.startswith("redis"):
        pytest.skip("messages are read by MONITOR, which RabbitMQ has not")
    return Tap(broker_url, [queue])


def transform(queue: str, *needs: str) -> dict[str, Any]:
    """A node that does next to nothing."""
    return {"type": "transform", "queue": queue, "needs": [*needs], "with": {"output": 1}}


def published(queue: str, nodes: dict[str, Any]) -> WorkflowVersion:
    """A workflow of these nodes."""
    workspace, _ = Workspace.objects.get_or_create(slug="default", defaults={"name": "Default"})
    document = {"workflow": queue.replace("-", "."), "nodes": nodes, "defaults": {"queue": queue}}
    return publish(workspace, document, by=None)


def finished(version: WorkflowVersion) -> Run:
    """A run of it, at its end."""
    run = await_run(start_run(version, {}, principal=SYSTEM).run.pk, [], timeout=30)
    assert run.state == "succeeded"
    return run


def commits(run: Run) -> int:
    """How many transactions wrote the run's history."""
    (number,) = one(
        "SELECT count(DISTINCT xmin::text) FROM celesta_event WHERE run_id = %s::uuid", (run.pk,)
    )
    return int(number)


def test_a_path_on_one_queue_is_one_message_and_one_commit_a_node(
    tap: Tap, queue: str, worker_process: Start
) -> None:
    worker_process(queues=queue, concurrency=2)
    length = 50
    path = {f"n{i}": transform(queue, *([f"n{i - 1}"] if i else [])) for i in range(length)}
    run = finished(published(queue, path))
    assert len(tap.read()) == 1
    # The start, the claim of the first, and for each node one that ends it and claims the next.
    assert commits(run) <= length + 2
    via = NodeRun.objects.filter(run_id=run.pk, attempt=1).values_list("via", flat=True)
    assert sorted(via) == ["continued"] * (length - 1) + ["task"]


def test_a_wide_wave_travels_as_a_few_lanes_that_share_commits(
    tap: Tap, queue: str, worker_process: Start
) -> None:
    # Given a worker that has learnt in a first run how short these nodes are,
    worker_process(queues=queue, concurrency=2)
    width = 500
    middle = {f"m{i}": transform(queue, "first") for i in range(width)}
    nodes = {"first": transform(queue), **middle, "last": transform(queue, *middle)}
    version = published(queue, nodes)
    for _ in range(3):  # each of its processes has to
        finished(version)
    before = len(tap.messages)
    # when they run again, 500 at once,
    run = finished(version)
    sent, number = len(tap.read()) - before, commits(run)
    print(f"{width} nodes: {sent} messages, {number} commits")
    # then there is a message for the first node, one a lane, and one whenever a lane lets others
    # have their turn; and many nodes end and begin in one commit.
    assert sent <= 1 + width // 25
    assert number <= width // 4
