"""X9: a paused run does nothing more, keeps its time, and goes on where it was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from celesta.engine import canvas, pausing
from celesta.engine.cancellation import cancel_run
from celesta.runs import transitions
from celesta.runs.calls import Completion, Report
from celesta.runs.connection import one, rows
from celesta.runs.errors import RunAlreadyFinished, RunNotFound
from celesta.runs.models import Event, Hint, Run, Timer
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import LEASE, begin, register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have gone to the broker."""
    found: list[Any] = []

    def send(messages: Iterable[Any]) -> bool:
        found.extend(messages)
        return True

    monkeypatch.setattr(canvas, "send", send)
    return found


def claim(run: UUID, node: int, token: int = 1) -> tuple[int, str]:
    slot = register()
    claim = transitions.claim(
        slot, token, str(run), scope=0, node=node, hint=None, via="task", take=1, lease=LEASE
    )
    return slot, claim.answer


def complete(run: UUID, slot: int, node: int) -> Completion:
    report = Report(0, node, 1, "succeeded", 0.0, 0.0)
    return transitions.complete(
        slot, 1, 1, str(run), [report], queues=("default",), keep=3, lease=LEASE
    )


def test_what_runs_ends_and_nothing_else_begins(sent: list[Any]) -> None:
    # Given a run with a node at work
    run, _ = begin(publish_plan(plan_of({"a": [], "b": ["a"]})))
    slot, _ = claim(run, 0)
    # When it is paused and the node ends
    assert pausing.pause_run(run, by="ann", reason="look first").state == "paused"
    done = complete(run, slot, 0)
    # Then its result is taken, its child is ready, and nobody may have it
    assert (done.refused, done.claimed) == ((), ())
    assert Hint.objects.get(run_id=run).node == 1
    assert claim(run, 1)[1] == "paused"
    # until the run goes on: then its message is sent at once.
    assert pausing.resume_run(run, by="bob").state == "running"
    assert [(m.kwargs["run"], m.kwargs["node"]) for m in sent] == [(str(run), 1)]
    assert claim(run, 1)[1] == "claimed"
    told = list(Event.objects.filter(run_id=run, kind__in=["run_paused", "run_resumed"]))
    assert told[0].data == {"by": "ann", "reason": "look first"}
    assert told[1].data["by"] == "bob"
    assert told[1].data["paused_for"] >= 0


def test_a_run_that_never_began_is_pending_again(sent: list[Any]) -> None:
    run, _ = begin(publish_plan(plan_of({"a": []})))
    pausing.pause_run(run, by="ann")
    assert pausing.resume_run(run, by="ann").state == "pending"
    assert len(sent) == 1


def test_the_deadline_moves_by_the_time_paused(sent: list[Any]) -> None:
    run, _ = begin(publish_plan(plan_of({"a": []})), deadline=100.0)
    before = Timer.objects.get(run_id=run).due_at
    pausing.pause_run(run, by="ann")
    rows(
        "UPDATE celesta_run SET paused_at = paused_at - interval '1 hour' WHERE id = %s::uuid",
        (run,),
    )
    pausing.resume_run(run, by="ann")
    timer = Timer.objects.get(run_id=run)
    assert timedelta(hours=1) <= timer.due_at - before < timedelta(hours=1, minutes=1)
    assert not timer.held


def test_twice_is_as_once(sent: list[Any]) -> None:
    run, _ = begin(publish_plan(plan_of({"a": []})))
    for _ in range(2):
        assert pausing.pause_run(run, by="ann").state == "paused"
    for _ in range(2):
        assert pausing.resume_run(run, by="ann").state == "pending"
    assert len(sent) == 1
    kinds = Event.objects.filter(run_id=run).values_list("kind", flat=True)
    assert sorted(kinds) == ["ready", "run_paused", "run_pending", "run_resumed"]


def test_an_ended_run_is_neither_paused_nor_resumed() -> None:
    run, _ = begin(publish_plan(plan_of({"a": []})))
    pausing.pause_run(run, by="ann")
    assert cancel_run(run, by="ann").state == "cancelled"
    with pytest.raises(RunAlreadyFinished, match="already been cancelled; it cannot be paused"):
        pausing.pause_run(run, by="ann")
    with pytest.raises(RunAlreadyFinished, match="cannot be resumed"):
        pausing.resume_run(run, by="ann")


def test_a_run_that_is_not_there_leaves_no_trace() -> None:
    nowhere = uuid7()
    for verb in (pausing.pause_run, pausing.resume_run, cancel_run):
        with pytest.raises(RunNotFound):
            verb(nowhere, by="ann")
    assert not Event.objects.filter(run_id=nowhere).exists()


def test_the_last_node_ends_a_paused_run(sent: list[Any]) -> None:
    run, _ = begin(publish_plan(plan_of({"a": []})))
    slot, _ = claim(run, 0)
    pausing.pause_run(run, by="ann")
    assert complete(run, slot, 0).ended
    assert Run.objects.get(pk=run).state == "succeeded"


def test_the_poll_for_timers_reads_an_index_without_those_that_are_held() -> None:
    (definition,) = one("SELECT indexdef FROM pg_indexes WHERE indexname = 'celesta_timer_due'")
    assert "WHERE (NOT held)" in definition
