"""R7: what is run again, and what keeps what it ended with."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celesta.access.principals import SYSTEM
from celesta.engine import canvas, rerun
from celesta.engine.rerun import Mode, rerun_run, start_at
from celesta.graph.keeping import kept_of, with_descendants
from celesta.graph.plan import Plan, PlanNode
from celesta.runs import transitions
from celesta.runs.calls import Sent
from celesta.runs.errors import (
    IdempotencyConflict,
    NothingToRerun,
    RerunInvalid,
    RunNotFinished,
)
from celesta.runs.models import Event, NodeRun, Output, Run
from celesta.workflows.models import WorkflowVersion
from tests.integration.engine.plans import plan_of, publish_plan, with_map, with_undo
from tests.integration.engine.simulation import (
    Outcome,
    assert_nothing_left,
    begin,
    drive,
    states,
)
from tests.integration.engine.test_random_graphs import FATES, plans
from tests.reference import interpret

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def released(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """What would have gone to the broker since the test began."""
    found: list[Sent] = []

    def publish(_: Plan, sent: tuple[Sent, ...]) -> bool:
        found.extend(sent)
        return True

    monkeypatch.setattr(canvas, "publish", publish)
    return found


def ended(plan: Plan, fates: dict[str, str], version: WorkflowVersion | None = None) -> Run:
    """A run of this plan in which the named nodes end like that, and all others succeed."""
    run, sent = begin(version or publish_plan(plan))
    drive(run, sent, told(plan, fates), random.Random(1))
    return Run.objects.get(pk=run)


def told(plan: Plan, fates: dict[str, str]) -> Outcome:
    return lambda _, node: fates.get(plan.nodes[node].name, "succeeded")


def again(run: Run, released: list[Sent], **options: Any) -> Run:
    """Run it again; then every node that runs succeeds."""
    released.clear()
    made = rerun_run(run, principal=SYSTEM, **options).run
    drive(made.pk, released, lambda *_: "succeeded", random.Random(2))
    return Run.objects.get(pk=made.pk)


def bodies(run: Run | UUID, plan: Plan) -> set[str]:
    """The nodes whose bodies ran."""
    pk = run.pk if isinstance(run, Run) else run
    rows = Event.objects.filter(run_id=pk, kind="running", scope=0).values_list("node", flat=True)
    return {plan.nodes[node].name for node in rows if node is not None} - {"end"}


CHAIN = plan_of({"a": [], "b": ["a"], "c": ["b"], "x": ["a"]}, name="rerun.chain")


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans(), seed=st.integers(0, 2**32))
def test_any_run_ends_as_the_reference_says_and_nothing_kept_runs_again(
    plan: Plan, seed: int, released: list[Sent]
) -> None:
    # Given a run of any graph that ended in any way
    rand = random.Random(seed)
    fates = [rand.choice(FATES) for _ in plan.nodes]
    first, sent = begin(publish_plan(plan))
    drive(first, sent, lambda _, node: fates[node], rand)
    run = Run.objects.get(pk=first)
    old = dict(NodeRun.objects.filter(run_id=first, scope=0).values_list("node", "state"))
    chosen = [n.name for n in plan.nodes[:-1] if rand.random() < 0.1]
    mode = Mode.NODES if chosen else Mode.FAILED
    kept = {
        k.node for k in kept_of(plan, plan, old, chosen=[plan.by_name()[n].index for n in chosen])
    }
    # When it is run again, and whatever runs now succeeds
    released.clear()
    try:
        made = rerun_run(run, principal=SYSTEM, mode=mode, nodes=chosen).run
    except NothingToRerun:
        assert run.state == "succeeded"
        assert len(kept) == len(plan.nodes) - 1
        return
    drive(made.pk, released, lambda *_: "succeeded", rand)

    # Then it ends as the reference says,
    def body(node: PlanNode) -> str:
        return old[node.index] if node.index in kept else "succeeded"

    expected = interpret(plan, body)
    expected_nodes = {name: state for name, state in expected.nodes.items() if name != "end"}
    assert states(made.pk, plan) == expected_nodes
    assert Run.objects.get(pk=made.pk).state == expected.run
    # no body of a kept node ran again, and no failure was kept,
    ran = {plan.by_name()[name].index for name in bodies(made.pk, plan)}
    assert not ran & kept
    assert all(old[node] in ("succeeded", "skipped") for node in kept)
    # what ran is what had to, with what comes after it,
    assert kept == {n.index for n in plan.nodes[:-1]} - with_descendants(
        plan,
        {i for i, state in old.items() if state not in ("succeeded", "skipped")}
        | {plan.by_name()[n].index for n in chosen},
    )
    # and each node has the output that it had, or has made.
    outputs = dict(Output.objects.filter(run_id=made.pk).values_list("node", "value"))
    assert outputs == {
        n.index: n.index for n in plan.nodes if expected_nodes.get(n.name) == "succeeded"
    }
    assert_nothing_left(made.pk)


def test_from_failed(released: list[Sent]) -> None:
    run = ended(CHAIN, {"b": "failed"})
    assert run.state == "failed"
    second = again(run, released)
    assert (second.state, second.rerun_of) == ("succeeded", run.pk)
    assert bodies(second, CHAIN) == {"b", "c"}
    event = Event.objects.get(run_id=second.pk, kind="kept")
    assert event.data == {
        "nodes": [0, 3],
        "states": ["succeeded", "succeeded"],
        "of": str(run.pk),
    }
    kept = NodeRun.objects.filter(run_id=second.pk, via="kept").order_by("node")
    assert list(kept.values_list("node", "attempt")) == [(0, 0), (3, 0)]


def test_from_a_chosen_node_and_all(released: list[Sent]) -> None:
    run = ended(CHAIN, {})
    assert bodies(again(run, released, mode=Mode.NODES, nodes=["c"]), CHAIN) == {"c"}
    assert bodies(again(run, released, mode=Mode.NODES, nodes=["x", "b"]), CHAIN) == {"b", "c", "x"}
    assert bodies(again(run, released, mode=Mode.ALL), CHAIN) == {"a", "b", "c", "x"}
    with pytest.raises(NothingToRerun):
        rerun_run(run, principal=SYSTEM)


def test_a_repaired_definition_is_run_from_the_node_that_failed(released: list[Sent]) -> None:
    # Given a run that failed at a node,
    run = ended(CHAIN, {"b": "failed"})
    # and a version that repairs it, changes another one, and adds one before all others
    repaired = plan_of(
        {"new": [], "a": [], "x": ["a"], "b": ["a"], "c": ["b"]},
        configs={"b": {"output": "repaired"}, "x": {"output": "other"}}, name="rerun.chain",
    )  # fmt: skip
    version = publish_plan(repaired)
    # When the run is run again on it
    second = again(run, released, version=version)
    # Then what is defined as before is found by its name and kept, and nothing else is.
    assert (second.state, second.version_id) == ("succeeded", version.pk)
    assert bodies(second, repaired) == {"new", "b", "c", "x"}
    assert Output.objects.get(run_id=second.pk, node=1).value == 0  # as `a` had made it


def test_what_was_undone_runs_again(released: list[Sent]) -> None:
    # Given a run whose failure was compensated
    plan = with_undo(plan_of({"a": [], "k": [], "b": ["a", "k"]}), "a")
    run = ended(plan, {"b": "failed"})
    assert NodeRun.objects.filter(run_id=run.pk, node=3, state="succeeded").exists()
    # Then what was undone is not kept
    assert bodies(again(run, released), plan) == {"a", "b"}


def test_what_was_kept_is_undone_when_the_run_fails_again(released: list[Sent]) -> None:
    # Given a run that was cancelled after a node with a compensation had succeeded
    plan = with_undo(plan_of({"a": [], "b": ["a"]}), "a")
    run = ended(plan, {"b": "failed", "undo_a": "succeeded"})
    NodeRun.objects.filter(run_id=run.pk, node=2).delete()
    # When it is run again and fails
    released.clear()
    made = rerun_run(run, principal=SYSTEM).run
    drive(made.pk, released, told(plan, {"b": "failed"}), random.Random(3))
    # Then the effect that is still there is undone
    assert bodies(made, plan) == {"b", "undo_a"}


def test_a_kept_map_keeps_its_list_and_not_its_items(released: list[Sent]) -> None:
    plan = with_map(plan_of({"m": [], "b": ["m"]}), "m")
    run, _ = begin(publish_plan(plan))
    slot = transitions.register_slot("test", 1, ["default"], 30.0)
    claim = transitions.claim(
        slot, 5, str(run), scope=0, node=0, hint=None, via="task", take=1, lease=30.0
    )
    _, items = transitions.expand(
        slot, 5, 1, str(run), claim.claimed[0], ["7", "8"], offset=0, total=2, tolerate=0,
        max_parallel=None, rest=(), lease=30.0,
    )  # fmt: skip
    transitions.complete(slot, 5, 2, str(run), [], lease=30.0)
    drive(run, list(items), told(plan, {"b": "failed"}), random.Random(4))
    collected = Output.objects.get(run_id=run, scope=0, node=0).value
    second = again(Run.objects.get(pk=run), released)
    assert second.state == "succeeded"
    assert bodies(second, plan) == {"b"}
    assert Output.objects.get(run_id=second.pk, scope=0, node=0).value == collected == [1002, 2002]
    assert not NodeRun.objects.filter(run_id=second.pk, scope__gt=0).exists()


def test_an_output_given_by_hand_stands_for_the_node(released: list[Sent]) -> None:
    run = ended(CHAIN, {"b": "failed"})
    second = again(run, released, outputs={"b": {"by": "hand"}})
    assert bodies(second, CHAIN) == {"c"}
    assert Output.objects.get(run_id=second.pk, node=1).value == {"by": "hand"}


def test_the_same_key_is_the_same_run(released: list[Sent]) -> None:
    run = ended(CHAIN, {"b": "failed"})
    first = rerun_run(run, principal=SYSTEM, idempotency_key="again")
    second = rerun_run(run, principal=SYSTEM, idempotency_key="again")
    assert (first.created, second.created) == (True, False)
    assert first.run.pk == second.run.pk
    with pytest.raises(IdempotencyConflict):
        rerun_run(run, principal=SYSTEM, idempotency_key="again", mode=Mode.ALL)


def test_what_cannot_be_done_says_where_and_why(released: list[Sent]) -> None:
    run, _ = begin(publish_plan(CHAIN))
    with pytest.raises(RunNotFinished):
        rerun_run(Run.objects.get(pk=run), principal=SYSTEM)
    ended_run = ended(CHAIN, {"b": "failed"})
    for options, path in (
        ({"mode": Mode.NODES, "nodes": ["b", "nowhere"]}, "nodes[1]"),
        ({"mode": Mode.NODES, "nodes": ["end"]}, "nodes[0]"),
        ({"mode": Mode.NODES}, "nodes"),
        ({"outputs": {"nowhere": 1}}, "outputs.nowhere"),
        ({"mode": Mode.NODES, "nodes": ["b"], "outputs": {"b": 1}}, "outputs.b"),
        ({"mode": Mode.ALL, "outputs": {"a": 1}}, "outputs.a"),
    ):
        with pytest.raises(RerunInvalid) as refused:
            rerun_run(ended_run, principal=SYSTEM, **options)
        assert [problem.path for problem in refused.value.problems] == [path]


def test_a_start_in_the_middle_takes_outputs_for_what_does_not_run(released: list[Sent]) -> None:
    # Given a workflow whose second node reads the first one's output
    plan = plan_of({"a": [], "b": ["a"], "c": ["b"], "x": ["a"]}, name="rerun.middle")
    nodes = list(plan.nodes)
    nodes[2] = replace(nodes[2], refs=(1,))
    plan = Plan(plan.workflow, tuple(nodes), plan.gates)
    version = publish_plan(plan)
    # When it is begun at the third without the second's output, that is refused
    with pytest.raises(RerunInvalid) as refused:
        start_at(version, {}, nodes=["c"], outputs={"a": 1}, principal=SYSTEM)
    assert [p.path for p in refused.value.problems] == ["outputs.b"]
    assert "read by c" in refused.value.problems[0].message
    with pytest.raises(RerunInvalid) as refused:
        start_at(version, {}, nodes=["c"], outputs={"b": 1, "c": 1}, principal=SYSTEM)
    assert [p.path for p in refused.value.problems] == ["outputs.c"]
    # and with it, only the third runs.
    made = start_at(version, {}, nodes=["c"], outputs={"b": [1, 2]}, principal=SYSTEM).run
    drive(made.pk, released, lambda *_: "succeeded", random.Random(5))
    assert Run.objects.get(pk=made.pk).state == "succeeded"
    assert bodies(made, plan) == {"c"}
    assert dict(Output.objects.filter(run_id=made.pk).values_list("node", "value"))[1] == [1, 2]
    assert Run.objects.get(pk=made.pk).rerun_of is None


def test_what_would_run_again_is_told_before(released: list[Sent]) -> None:
    # Given a run that failed, and a version that repairs it and changes what only `a` comes before
    run = ended(CHAIN, {"b": "failed"})
    repaired = plan_of(
        {"a": [], "b": ["a"], "c": ["b"], "x": ["a"]},
        configs={"b": {"output": "repaired"}, "x": {"output": "other"}}, name="rerun.chain",
    )  # fmt: skip
    version = publish_plan(repaired)
    # Then what is foreseen is what happens,
    for options in (
        {},
        {"version": version},
        {"mode": Mode.NODES, "nodes": ["a"]},
        {"mode": Mode.ALL},
        {"outputs": {"b": 1}},
    ):
        seen = rerun.foresee(run, **options)
        assert bodies(again(run, released, **options), CHAIN) == set(seen.again)
        assert sorted([*seen.again, *seen.kept]) == ["a", "b", "c", "x"]
    # nothing is made by asking, and what cannot be done is refused the same.
    before = Run.objects.count()
    assert rerun.foresee(run, version=version) == rerun.Foreseen(["b", "c", "x"], ["a"])
    assert Run.objects.count() == before
    with pytest.raises(RerunInvalid):
        rerun.foresee(run, mode=Mode.NODES, nodes=["nowhere"])
    with pytest.raises(NothingToRerun):
        rerun.foresee(ended(CHAIN, {}))
