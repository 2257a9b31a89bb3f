"""The functions of protocol 1, one behaviour a test, on a real PostgreSQL."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from celesta.graph.plan import Plan
from celesta.runs import transitions
from celesta.runs.calls import Sent
from celesta.runs.models import Event, NodeRun, Output, Run
from tests.integration.engine.plans import plan_of, publish_plan, with_map
from tests.integration.engine.simulation import (
    LEASE,
    assert_nothing_left,
    begin,
    drive,
    register,
    states,
)

pytestmark = pytest.mark.django_db(transaction=True)


def succeed(scope: int, node: int) -> str:
    return "succeeded"


def test_a_chain_runs_to_its_end() -> None:
    plan = plan_of({"a": [], "b": ["a"], "c": ["b"]})
    run, sent = begin(publish_plan(plan))
    drive(run, sent, succeed, random.Random(1))
    assert states(run, plan) == dict.fromkeys("abc", "succeeded")
    assert Run.objects.get(pk=run).state == "succeeded"
    assert_nothing_left(run)


def test_a_wide_wave_meets_again() -> None:
    middle = [f"m{i}" for i in range(40)]
    plan = plan_of({"a": [], **{m: ["a"] for m in middle}, "z": middle})
    run, sent = begin(publish_plan(plan))
    drive(run, sent, succeed, random.Random(2))
    assert set(states(run, plan).values()) == {"succeeded"}
    assert NodeRun.objects.filter(run_id=run).exclude(attempt__in=[0, 1]).count() == 0
    assert_nothing_left(run)


def test_a_failure_that_no_child_accepts_fails_the_run() -> None:
    plan = plan_of({"a": [], "b": ["a"], "c": ["b"]})
    run, sent = begin(publish_plan(plan))
    drive(run, sent, lambda _, node: "failed" if node == 0 else "succeeded", random.Random(3))
    assert states(run, plan) == {"a": "failed", "b": "upstream_failed", "c": "upstream_failed"}
    found = Run.objects.get(pk=run)
    assert found.error is not None
    assert (found.state, found.error["node"]) == ("failed", "a")
    assert_nothing_left(run)


def test_early_join_fires_once() -> None:
    plan = plan_of({"a": [], "b": [], "c": ["a", "b"]}, rules={"c": "any_success"})
    run, sent = begin(publish_plan(plan))
    drive(run, sent, succeed, random.Random(4))
    kinds = Event.objects.filter(run_id=run, node=2).values_list("kind", flat=True)
    assert sorted(k for k in kinds if k != "ready") == ["running", "succeeded"]


@pytest.mark.parametrize("seed", range(5))
def test_events_replayed_equal_the_rows(seed: int) -> None:
    rand = random.Random(seed)
    plan = plan_of(
        {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"]}, rules={"e": "all_done"}
    )
    fate = {n: rand.choice(["succeeded", "failed", "skipped"]) for n in range(6)}
    run, sent = begin(publish_plan(plan))
    drive(run, sent, lambda _, node: fate[node], rand)
    replayed = dict.fromkeys(range(6), "pending")
    for event in Event.objects.filter(run_id=run, node__isnull=False).order_by("id"):
        replayed[event.node] = event.kind
    rows = dict(NodeRun.objects.filter(run_id=run).values_list("node", "state"))
    assert replayed == rows


def expanded(plan: Plan, tolerate: int = 0) -> tuple[UUID, list[Sent]]:
    """A run whose first node is a map, which has just released its 25 items."""
    run, (message,) = begin(publish_plan(plan))
    assert message.nodes == (0,)
    slot = register()
    claim = transitions.claim(
        slot, 99, str(run), scope=0, node=0, hint=None, via="task", take=1, lease=LEASE
    )
    items = [str(i) for i in range(25)]
    for offset, seq in ((0, 1), (10, 2), (20, 3)):
        answer, sent = transitions.expand(
            slot, 99, seq, str(run), claim.claimed[0], items[offset : offset + 10],
            offset=offset, total=25, tolerate=tolerate, max_parallel=None, rest=(), lease=LEASE,
        )  # fmt: skip
        assert answer == "going"
    transitions.complete(slot, 99, 4, str(run), [], rest=(), keep=0, lease=LEASE)
    return run, list(sent)


def test_a_map_collects_its_items_in_order() -> None:
    plan = with_map(plan_of({"m": [], "z": ["m"]}), "m")
    run, sent = expanded(plan)
    drive(run, sent, succeed, random.Random(7))
    assert states(run, plan) == {"m": "succeeded", "z": "succeeded"}
    output = Output.objects.get(run_id=run, scope=0, node=0).value
    assert output == [scope * 1000 + 2 for scope in range(1, 26)]
    assert_nothing_left(run)


@pytest.mark.parametrize("bad", [2, 3])
def test_a_map_tolerates_so_many_failures_and_no_more(bad: int) -> None:
    plan = with_map(plan_of({"m": []}), "m")
    run, sent = expanded(plan, tolerate=2)
    drive(
        run, sent, lambda scope, _: "failed" if 0 < scope <= bad else "succeeded", random.Random(8)
    )
    output = Output.objects.get(run_id=run, scope=0, node=0)
    if bad <= 2:
        assert states(run, plan) == {"m": "succeeded"}
        assert output.value == [None, None, *(scope * 1000 + 1 for scope in range(3, 26))]
    else:
        assert states(run, plan) == {"m": "failed"}
        assert output.error is not None
        assert output.error["code"] == "items_failed"
        assert [item["index"] for item in output.error["items"]] == [0, 1, 2]
    assert_nothing_left(run)
