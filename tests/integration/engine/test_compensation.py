"""A run that fails undoes what had succeeded: the last first, each once, whatever happens."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from celesta.engine.cancellation import cancel_run
from celesta.runs.models import Event, NodeRun, Run
from tests.integration.engine.plans import plan_of, publish_plan, with_undo
from tests.integration.engine.simulation import assert_nothing_left, begin, drive, states

pytestmark = pytest.mark.django_db(transaction=True)

FATES = ("succeeded", "succeeded", "succeeded", "failed", "skipped")


def _ends(run: UUID, nodes: set[int]) -> list[int]:
    """Those of the nodes that ended, in the order of their rows' ends."""
    rows = NodeRun.objects.filter(run_id=run, scope=0, node__in=nodes, finished_at__isnull=False)
    return list(rows.order_by("finished_at", "node").values_list("node", flat=True))


@pytest.mark.parametrize("seed", range(25))
def test_what_succeeded_is_undone_in_reverse_order(seed: int) -> None:
    # Given a random DAG in which most nodes have a compensation, and a fate for every node,
    rand = random.Random(seed)
    names = [f"n{i}" for i in range(rand.randint(2, 8))]
    edges = {
        name: rand.sample(names[:i], rand.randint(0, min(2, i))) for i, name in enumerate(names)
    }
    undone = [name for name in names if rand.random() < 0.8]
    plan = with_undo(plan_of(edges), *undone)
    fate = {node.index: rand.choice(FATES) for node in plan.nodes}
    for node in plan.nodes:
        if node.compensates >= 0:
            fate[node.index] = rand.choice(("succeeded", "succeeded", "failed"))
    fate[plan.end.index] = "succeeded"
    # when it runs to its end, in any order and batches,
    run, sent = begin(publish_plan(plan))
    drive(run, sent, lambda _, node: fate[node], rand)
    # then a failed run has undone each node that succeeded, the last first, one at a time,
    found = Run.objects.get(pk=run)
    undo = {node.compensates: node.index for node in plan.nodes if node.compensates >= 0}
    kept = dict(NodeRun.objects.filter(run_id=run, scope=0).values_list("node", "state"))
    succeeded = {node for node in undo if kept[node] == "succeeded"}
    if found.state == "failed":
        expected = [undo[node] for node in reversed(_ends(run, succeeded))]
        assert _ends(run, set(undo.values())) == expected
        begun = Event.objects.filter(run_id=run, node__in=undo.values(), kind="running")
        assert list(begun.order_by("id").values_list("node", flat=True)) == expected
        failed = [plan.nodes[node].name for node in expected if fate[node] == "failed"]
        assert (found.error or {}).get("compensations_failed", []) == failed
        assert found.error
        assert not found.error["node"].startswith("undo_")
    else:
        # and one that succeeded has undone nothing.
        assert not set(undo.values()) & kept.keys()
    assert_nothing_left(run)


def test_nothing_is_undone_when_a_child_takes_the_failure() -> None:
    plan = with_undo(plan_of({"a": [], "b": ["a"], "c": ["b"]}, rules={"c": "all_done"}), "a")
    run, sent = begin(publish_plan(plan))
    drive(run, sent, lambda _, node: "failed" if node == 1 else "succeeded", random.Random(1))
    assert Run.objects.get(pk=run).state == "succeeded"
    assert "undo_a" not in states(run, plan)


def test_a_cancelled_run_is_not_undone_and_a_cancel_ends_the_undoing() -> None:
    # Given a run that has failed and is about to undo two nodes,
    plan = with_undo(plan_of({"a": [], "b": ["a"], "c": ["b"]}), "a", "b")
    run, sent = begin(publish_plan(plan))

    def fail_then_cancel(_: int, node: int) -> str:
        if plan.nodes[node].name == "undo_b":
            cancel_run(run, by="test")
        return "failed" if node == 2 else "succeeded"

    # when it is cancelled in mid undoing,
    with pytest.raises(AssertionError):  # the late result is refused
        drive(run, sent, fail_then_cancel, random.Random(1))
    # then it ends there.
    assert Run.objects.get(pk=run).state == "cancelled"
    assert states(run, plan)["undo_b"] == "cancelled"
    assert "undo_a" not in states(run, plan)
