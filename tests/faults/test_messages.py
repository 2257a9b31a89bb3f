"""Rows 5, 7, 9, 10 and 23: messages that are lost, doubled, late or forged."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from celesta.engine import canvas
from celesta.runs.models import Event, Hint
from tests.faults.conftest import Stage
from tests.processes import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


def test_death_between_commit_and_publish(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a start whose process died after its commit, before it published anything,
    stage.worker(concurrency=1)
    with monkeypatch.context() as patched:
        patched.setattr(canvas, "publish", lambda *_: True)
        run = stage.start({"a": stage.node("test.ok"), "b": stage.node("test.ok", "a")})
    # then the leader sends the lost hint.
    began = time.monotonic()
    assert stage.ends(run).state == "succeeded"
    print(f"a hint never sent was found after {time.monotonic() - began:.2f} s")


def test_flushall_while_queued(stage: Stage, flush_broker: Callable[[], None]) -> None:
    # Given runs whose messages are queued and no worker is there,
    runs = [
        stage.start({"a": stage.node("test.ok"), "b": stage.node("test.ok", "a")}) for _ in range(5)
    ]
    # when the broker loses everything,
    flush_broker()
    stage.worker(concurrency=2)
    # then all of them still end right.
    assert {stage.ends(run).state for run in runs} == {"succeeded"}
    assert set(stage.bodies().values()) == {1}


def test_flushall_in_mid_fan_in(stage: Stage, flush_broker: Callable[[], None]) -> None:
    # Given a fan-out of which some branches run and others are queued,
    stage.worker(concurrency=2)
    gate = stage.directory / "open"
    wide = {f"m{i}": stage.node("test.gate", "a", args={"path": str(gate)}) for i in range(6)}
    run = stage.start({"a": stage.node("test.ok"), **wide, "z": stage.node("test.ok", *wide)})
    stage.began(3)
    # when the broker loses everything,
    flush_broker()
    gate.touch()
    # then the join still happens, once.
    assert stage.ends(run).state == "succeeded"
    assert set(stage.bodies().values()) == {1}


def test_flushall_while_waiting(stage: Stage, flush_broker: Callable[[], None]) -> None:
    stage.worker(concurrency=1)
    wait = {"type": "wait", "queue": stage.queue, "needs": ["a"], "with": {"for": "2s"}}
    run = stage.start({"a": stage.node("test.ok"), "w": wait, "b": stage.node("test.ok", "w")})
    wait_for(lambda: stage.states(run)["w"] == "waiting")
    flush_broker()
    assert stage.ends(run).state == "succeeded"


@pytest.mark.parametrize("copies", [2, 50])
def test_one_message_many_times_at_once(stage: Stage, copies: int) -> None:
    # Given a message that the broker delivers many times,
    run = stage.start({"a": stage.node("test.sleep", args={"seconds": 0.2})})
    canvas.send(
        [canvas.node_signature(str(run.pk), 0, 0, stage.queue, 5, "task") for _ in range(copies)]
    )
    stage.worker(concurrency=4)
    # then one claim wins.
    assert stage.ends(run).state == "succeeded"
    assert list(stage.bodies().values()) == [1]


def test_late_and_forged_messages_start_nothing(stage: Stage) -> None:
    # Given a run that is over,
    worker = stage.worker(concurrency=1)
    run = stage.ends(stage.start({"a": stage.node("test.ok")}))
    before = Event.objects.count()
    # when late, malformed, unknown and forged messages arrive,
    app = canvas.app()
    bad: list[dict[str, Any]] = [
        {"run": str(run.pk), "scope": 0, "node": 0},
        {"run": str(run.pk), "hint": 10**15},
        {"run": "'; DROP TABLE celesta_run; --", "scope": 0, "node": 0},
        {"run": "00000000-0000-0000-0000-000000000000", "scope": 0, "node": 0},
        {"run": str(run.pk), "scope": -1, "node": "x"},
        {"run": 5},
        {},
    ]
    for kwargs in bad:
        app.send_task(canvas.ADVANCE, kwargs=kwargs, queue=stage.queue)
    app.send_task("no.such.task", queue=stage.queue)
    # then nothing starts, and the worker still works.
    assert stage.ends(stage.start({"a": stage.node("test.ok")})).state == "succeeded"
    assert Event.objects.filter(run_id=run.pk).count() <= before
    assert worker.children()


def test_a_start_while_the_broker_is_down(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a broker that cannot be reached from here,
    app = canvas.app()
    nowhere = partial(app.connection_for_write, "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app, "connection_for_write", nowhere)
    canvas._publisher.drop()
    # when a run is started, it is accepted quickly,
    began = time.monotonic()
    run = stage.start({"a": stage.node("test.ok")})
    took = time.monotonic() - began
    monkeypatch.undo()
    canvas._publisher.drop()
    assert Hint.objects.filter(run_id=run.pk).exists()
    print(f"start with the broker down took {took:.2f} s")
    assert took < 2
    # and is sent later.
    stage.worker(concurrency=1)
    assert stage.ends(run).state == "succeeded"


def test_a_start_rolls_back_with_its_callers_transaction(stage: Stage) -> None:
    stage.worker(concurrency=1)
    with transaction.atomic():
        run = stage.start({"a": stage.node("test.ok")})
        transaction.set_rollback(True)
    assert not Hint.objects.filter(run_id=run.pk).exists()
    assert not stage.bodies()
