"""RabbitMQ carries the same runs, and loses as little: the broker is disposable there, too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from kombu import Connection, Queue

from celesta.engine import canvas
from celesta.runs.models import NodeRun
from tests.faults.conftest import Stage

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.faults,
    pytest.mark.external,
]


@pytest.fixture
def rabbit(rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """This process publishes to RabbitMQ; the environment makes a worker listen there."""
    app = canvas.app()
    monkeypatch.setattr(
        app, "connection_for_write", partial(app.connection_for_write, rabbitmq_url)
    )
    canvas._publisher.drop()
    yield {"BROKER_URL": rabbitmq_url}
    canvas._publisher.drop()


def test_a_run_over_two_queues(stage: Stage, rabbit: dict[str, str]) -> None:
    """With recovery off: what arrives, arrives by canvas alone."""
    other = f"{stage.queue}-other"
    env = {**rabbit, "CELESTA_TEST_HINT_LOST_AFTER": "86400"}
    red = stage.worker(concurrency=1, env=env)
    blue = stage._start_worker(queues=other, env={**stage.env, **env}, concurrency=1)
    nodes = {
        "a": stage.node("test.ok"),
        "b": stage.node("test.ok", "a", queue=other),
        "c": stage.node("test.ok", "b"),
        "d": stage.node("test.ok", "b"),
        "e": stage.node("test.ok", "c", "d", queue=other),
    }
    run = stage.ends(stage.start(nodes))
    assert run.state == "succeeded"
    assert set(stage.bodies().values()) == {1}
    via = dict(NodeRun.objects.filter(run_id=run.pk).values_list("node", "via"))
    assert (via[1], via[4]) == ("chain", "chord")
    assert red.children()
    assert blue.children()


def test_a_purged_queue_is_sent_again(
    stage: Stage, rabbit: dict[str, str], rabbitmq_url: str
) -> None:
    # Given runs whose messages are queued and no worker is there,
    runs = [stage.start({"a": stage.node("test.ok")}) for _ in range(3)]
    # when the queue is deleted with all that is in it,
    with Connection(rabbitmq_url) as broker:
        Queue(stage.queue, channel=broker.channel()).delete()
    stage.worker(concurrency=1, env=rabbit)
    # then all of them still end right.
    assert {stage.ends(run).state for run in runs} == {"succeeded"}
    assert set(stage.bodies().values()) == {1}
