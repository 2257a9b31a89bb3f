"""X9: what follows when people skip a node."""

from __future__ import annotations

import random
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from celesta.engine.cancellation import cancel_run
from celesta.engine.skipping import skip_node
from celesta.runs import transitions
from celesta.runs.calls import Completion, Report
from celesta.runs.errors import (
    NodeNotFound,
    NodeNotSkippable,
    RunAlreadyFinished,
    RunNotFound,
)
from celesta.runs.models import Event, Hint, NodeRun, Run, Timer, Wave
from tests.integration.engine.plans import plan_of, publish_plan, with_map
from tests.integration.engine.simulation import LEASE, assert_nothing_left, begin, drive, register

pytestmark = pytest.mark.django_db(transaction=True)


def work(run: UUID, node: int, state: str = "", *, scope: int = 0, **timer: object) -> int:
    """A slot claims a node and, when told how it ends, reports that."""
    slot = register()
    transitions.claim(
        slot, 1, str(run), scope=scope, node=node, hint=None, via="task", take=1, lease=LEASE
    )
    if state:
        end(run, slot, node, state, scope=scope, **timer)
    return slot


def end(
    run: UUID, slot: int, node: int, state: str, *, scope: int = 0, **timer: object
) -> Completion:
    report = Report(scope, node, 1, state, 0.0, 0.0, **timer)  # type: ignore[arg-type]
    return transitions.complete(slot, 1, 1, str(run), [report], lease=LEASE)


def states(run: UUID, scope: int = 0) -> list[str]:
    found = NodeRun.objects.filter(run_id=run, scope=scope).order_by("node")
    return list(found.values_list("state", flat=True))


def test_the_join_rules_decide_what_follows() -> None:
    # Given a node before one that wants success and one that wants no failure
    rules = {"c": "none_failed"}
    run, _ = begin(publish_plan(plan_of({"a": [], "b": ["a"], "c": ["a"]}, rules=rules)))  # type: ignore[arg-type]
    # When it is skipped while it is ready
    skip_node(run, 0, 0, by="ann", reason="not today")
    # Then both see a skipped node, and the history says who it was
    assert states(run) == ["skipped", "skipped", "ready", "pending"]
    event = Event.objects.get(run_id=run, kind="skipped", node=0)
    assert event.data == {"by": "ann", "reason": "not today"}
    work(run, 2, "succeeded")
    assert Run.objects.get(pk=run).state == "succeeded"


def test_the_timer_goes_and_a_late_result_is_refused() -> None:
    # Given a node that waits for a task of another worker
    run, _ = begin(publish_plan(plan_of({"a": []})))
    work(run, 0, "waiting", kind="foreign", delay=60.0)
    # When it is skipped, the run ends
    skip_node(run, 0, 0, by="ann")
    assert Run.objects.get(pk=run).state == "succeeded"
    assert not Timer.objects.filter(run_id=run).exists()
    # and what the other worker says later changes nothing.
    accepted, _ = transitions.report(str(run), 0, 0, 1, "succeeded", output="1")
    assert not accepted
    assert states(run)[0] == "skipped"
    assert Event.objects.filter(run_id=run, kind="refused").count() == 1


def test_a_running_node_is_not_skipped() -> None:
    run, _ = begin(publish_plan(plan_of({"a": [], "b": ["a"]})))
    with pytest.raises(NodeNotSkippable, match="Node b still waits for other nodes"):
        skip_node(run, 0, 1, by="ann")
    slot = work(run, 0)
    with pytest.raises(NodeNotSkippable, match="Node a is running: wait for its end, or cancel"):
        skip_node(run, 0, 0, by="ann")
    end(run, slot, 0, "succeeded")
    with pytest.raises(NodeNotSkippable, match="Node a has already ended"):
        skip_node(run, 0, 0, by="ann")
    with pytest.raises(NodeNotSkippable, match="The end of a run"):
        skip_node(run, 0, 2, by="ann")
    for scope, node in ((7, 0), (0, 7)):
        with pytest.raises(NodeNotFound):
            skip_node(run, scope, node, by="ann")
    with pytest.raises(RunNotFound):
        skip_node(uuid7(), 0, 0, by="ann")


def test_nothing_of_an_ended_run_is_skipped() -> None:
    run, _ = begin(publish_plan(plan_of({"a": []})))
    cancel_run(run, by="ann")
    with pytest.raises(RunAlreadyFinished, match="its nodes cannot be skipped"):
        skip_node(run, 0, 0, by="ann")


def half_expanded(written: int = 2, total: int = 3) -> tuple[UUID, int]:
    """A run whose map is being written by a slot with token 1."""
    run, _ = begin(publish_plan(with_map(plan_of({"m": [], "z": ["m"]}), "m")))
    slot = register()
    claim = transitions.claim(
        slot, 1, str(run), scope=0, node=0, hint=None, via="task", take=1, lease=LEASE
    )
    transitions.expand(
        slot, 1, 1, str(run), claim.claimed[0], ["0"] * written, offset=0, total=total, tolerate=0,
        max_parallel=None, rest=(), lease=LEASE,
    )  # fmt: skip
    return run, slot


def expanded(total: int) -> UUID:
    """A run whose map has so many items, all of them ready."""
    run, slot = half_expanded(total, total)
    transitions.complete(slot, 1, 2, str(run), [], lease=LEASE)
    return run


def test_items_can_be_skipped_one_by_one() -> None:
    run = expanded(2)
    skip_node(run, 1, 2, by="ann")
    assert states(run) == ["waiting", "pending", "pending"]
    skip_node(run, 2, 2, by="ann")
    assert states(run) == ["succeeded", "ready", "pending"]
    assert Wave.objects.filter(run_id=run).count() == 0


def test_a_map_is_skipped_with_what_is_open_of_its_items() -> None:
    # Given a map of which one item has ended, one runs, and one waits for a worker
    run = expanded(3)
    work(run, 2, "succeeded", scope=1)
    slot = work(run, 2, scope=2)
    # When the map is skipped
    skip_node(run, 0, 0, by="ann")
    # Then the open items are cancelled, and so is the result of the one at work
    assert [states(run, scope) for scope in (1, 2, 3)] == [
        ["succeeded"], ["cancelled"], ["cancelled"],
    ]  # fmt: skip
    assert states(run) == ["skipped", "skipped", "succeeded"]
    assert end(run, slot, 2, "succeeded", scope=2).answer == "run_over"
    assert not Hint.objects.filter(run_id=run).exists()
    assert_nothing_left(run)


@pytest.mark.parametrize("after", ["ready", "waiting"])
def test_a_map_that_was_not_written_to_its_end_is_skipped_without_a_trace_of_items(
    after: str,
) -> None:
    # Given a map whose process died, or failed, after the first chunk of items was written
    run, slot = half_expanded()
    if after == "ready":
        transitions.take_back(slot, 1, force=True)
    else:
        wait = Report(0, 0, 1, "waiting", 0.002, 0.001, None, "{}", "retry", 60.0)
        transitions.complete(slot, 1, 2, str(run), [wait], lease=LEASE)
    # then its items cannot be skipped: the next attempt writes others,
    with pytest.raises(NodeNotSkippable):
        skip_node(run, 1, 2, by="ann")
    # and when the map is skipped, they are gone.
    skip_node(run, 0, 0, by="ann")
    assert states(run) == ["skipped", "skipped", "succeeded"]
    assert states(run, 1) == states(run, 2) == []
    assert_nothing_left(run)


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_a_map_that_was_not_written_to_its_end_leaves_no_items(state: str) -> None:
    # Given half a map, whose next attempt comes to nothing else (no items this time, or a failure)
    run, slot = half_expanded()
    work_done = Report(0, 0, 1, state, 0.002, 0.001, "[]", '{"code":"told","message":"told to"}')
    sent = transitions.complete(slot, 1, 2, str(run), [work_done], lease=LEASE).sent
    drive(run, list(sent), lambda *_: "succeeded", random.Random(1))
    assert_nothing_left(run)
