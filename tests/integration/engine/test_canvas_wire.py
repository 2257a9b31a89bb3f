"""Waves travel as Celery's own canvas: read on the broker, between real workers (X16)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from celesta.access.models import Workspace
from celesta.access.principals import SYSTEM
from celesta.engine.awaiting import await_run
from celesta.engine.start import start_run
from celesta.runs.models import NodeRun, Run
from celesta.workflows.publishing import publish
from tests.processes import WorkerProcess, wait_for
from tests.wire import Tap

pytestmark = pytest.mark.django_db(transaction=True)

Start = Callable[..., WorkerProcess]


@pytest.fixture
def names() -> tuple[str, str]:
    """Two queues of our own."""
    return f"red-{uuid4().hex[:8]}", f"blue-{uuid4().hex[:8]}"


@pytest.fixture
def tap(broker_url: str, names: tuple[str, str]) -> Iterator[Tap]:
    if not broker_url.startswith("redis"):
        pytest.skip("messages are read by MONITOR, which RabbitMQ has not; test_brokers runs there")
    tap = Tap(broker_url, list(names))
    yield tap
    tap.read()


def document(red: str, blue: str) -> dict[str, Any]:
    """An ordinary workflow over two queues: a path, branches that meet, branches that do not."""

    def node(queue: str, *needs: str) -> dict[str, Any]:
        return {"type": "transform", "queue": queue, "needs": [*needs], "with": {"output": 1}}

    return {
        "workflow": f"wire.{red.replace('-', '_')}",
        "nodes": {
            "first": node(red),
            "then": node(blue, "first"),
            "left": node(red, "then"),
            "right": node(red, "then"),
            "meet": node(blue, "left", "right"),
            "alone_a": node(red, "meet"),
            "alone_b": node(red, "meet"),
        },
    }


def start(red: str, blue: str) -> Run:
    workspace, _ = Workspace.objects.get_or_create(slug="default", defaults={"name": "Default"})
    version = publish(workspace, document(red, blue), by=None)
    return start_run(version, {}, principal=SYSTEM).run


def test_a_run_over_two_queues_travels_as_chain_chord_and_group(
    tap: Tap, names: tuple[str, str], worker_process: Start
) -> None:
    # Given one worker for each queue, that never send anything again,
    for name in names:
        worker_process(queues=name, env={"DJANGO_SETTINGS_MODULE": "tests.settings.no_recovery"})
    # when an ordinary run goes over both,
    run = await_run(start(*names).pk, [], timeout=60)
    assert run.state == "succeeded"
    # then the broker carried a chain, a chord and a group of Celery's own,
    sent = tap.read()
    chains = [m for m in sent if m["embed"]["chain"]]
    chords = [m for m in sent if m["embed"]["chord"]]
    groups = [m for m in sent if m["headers"]["group"] and not m["embed"]["chord"]]
    assert [m["embed"]["chain"][0]["task"] for m in chains] == ["celesta.advance"]
    assert {m["embed"]["chord"]["task"] for m in chords} == {"celesta.advance"}
    assert len({m["headers"]["group"] for m in chords}) == 1
    assert len(chords) == 2
    assert len(groups) >= 2
    # in JSON, far below the limit,
    assert {m["type"] for m in sent} == {"application/json"}
    assert max(m["size"] for m in sent) < 4096
    # and each node says how it travelled.
    plan = run.version.plan
    via = {plan.nodes[n.node].name: n.via for n in NodeRun.objects.filter(run_id=run.pk)}
    assert via["first"] == via["then"] == "chain"
    assert {via["left"], via["right"]} <= {"chord", "lane"}
    assert via["meet"] == "chord"
    assert {via["alone_a"], via["alone_b"]} <= {"group", "lane"}


def test_without_the_backends_hook_a_chord_stays_open(
    tap: Tap, names: tuple[str, str], worker_process: Start
) -> None:
    # Given workers whose backend forgets the chord's body, and no leader to send it again,
    for name in names:
        worker_process(queues=name, env={"DJANGO_SETTINGS_MODULE": "tests.settings.no_chord_hook"})
    # when the same run comes to the join,
    run = start(*names)
    plan = run.version.plan

    def states() -> list[str]:
        found = {plan.nodes[n.node].name: n.state for n in NodeRun.objects.filter(run_id=run.pk)}
        return [found[name] for name in ("left", "right", "meet")]

    stuck = ["succeeded", "succeeded", "ready"]
    wait_for(lambda: states() == stuck, told=lambda: str(states()))
    # then it stays there, longer than a message takes: the hook is what carries it on.
    run = await_run(run.pk, [], timeout=3)
    assert states() == stuck
    assert run.state == "running"
