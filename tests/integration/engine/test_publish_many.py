"""Waves of many runs published together: all arrive, and a broker that is away is told from one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery

from celesta.access import workspaces
from celesta.engine import canvas
from celesta.engine.start_many import Wanted, start_many
from celesta.runs import connection
from celesta.runs.models import Hint
from celesta.workflows.models import WorkflowVersion
from celesta.workflows.publishing import publish

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = 2 * canvas.BATCH + 50


@pytest.fixture(autouse=True)
def _close_hot_connection() -> Iterator[None]:
    yield
    connection.close()


@pytest.fixture
def version(transactional_db: None) -> WorkflowVersion:
    queue = f"many-{uuid4().hex[:8]}"
    nodes = {"a": {"type": "transform", "queue": queue, "with": {"output": 1}}}
    return publish(workspaces.default(), {"workflow": queue, "nodes": nodes}, by=None)


def begin(version: WorkflowVersion) -> None:
    wanted = [Wanted({}, f"{version.workflow.name}.{n}") for n in range(RUNS)]
    start_many(version, wanted, by="test", trigger="api")


def arrived(version: WorkflowVersion) -> int:
    with canvas.app().connection_for_read() as link:
        queue = canvas.queue_name(version.workflow.name)
        channel: Any = link.default_channel
        return int(channel.queue_declare(queue, passive=True).message_count)


def test_more_than_a_batch_arrives_whole(version: WorkflowVersion) -> None:
    begin(version)
    assert arrived(version) == RUNS
    assert not canvas.is_closed()


def test_a_broker_that_is_away_delays_the_runs_and_loses_none(
    version: WorkflowVersion, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away = Celery("away", broker="redis://127.0.0.1:1/0")
    monkeypatch.setattr(canvas, "app", lambda: away)
    begin(version)  # which does not raise
    assert caplog.text.count("the broker did not take a message") == 1
    assert Hint.objects.filter(queue=version.workflow.name).count() == RUNS
