"""Random graphs, rules, outcomes and orders through the real SQL end as the reference says."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from celesta.graph.gates import RULES
from celesta.graph.plan import Plan, PlanNode
from celesta.runs.models import Event, Output, Run
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import (
    assert_nothing_left,
    begin,
    drive,
    states,
)
from tests.reference import interpret

pytestmark = pytest.mark.django_db(transaction=True)

FATES = ("succeeded", "succeeded", "succeeded", "failed", "skipped")


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of up to 14 nodes: any acyclic graph, not only a series-parallel one."""
    count = draw(st.integers(1, 14))
    names = [f"n{i}" for i in range(count)]
    edges = {
        name: sorted(draw(st.sets(st.sampled_from(names[:i]), max_size=4))) if i else []
        for i, name in enumerate(names)
    }
    return plan_of(
        edges,
        rules={name: draw(st.sampled_from(RULES)) for name in names},
        queues={name: draw(st.sampled_from(["default", "other"])) for name in names},
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(plan=plans(), seed=st.integers(0, 2**32))
def test_any_order_and_batch_ends_as_the_reference_says(plan: Plan, seed: int) -> None:
    rand = random.Random(seed)
    fates = [rand.choice(FATES) for _ in plan.nodes]

    def body(node: PlanNode) -> str:
        return fates[node.index]

    # When a run of the plan is driven through the database in a random order,
    run, sent = begin(publish_plan(plan))
    drive(run, sent, lambda _, node: fates[node], rand)
    # then every node and the run end as the reference interpreter says,
    expected = interpret(plan, body)
    expected_nodes = {name: state for name, state in expected.nodes.items() if name != "end"}
    assert states(run, plan) == expected_nodes
    assert Run.objects.get(pk=run).state == expected.run
    # each node has one accepted result and its output, and nothing is left behind.
    ended = Event.objects.filter(run_id=run, kind__in=["succeeded", "failed", "skipped"])
    assert ended.count() == ended.values("scope", "node").distinct().count()
    outputs = dict(
        Output.objects.filter(run_id=run, error__isnull=True).values_list("node", "value")
    )
    assert outputs == {
        node.index: node.index
        for node in plan.nodes
        if expected_nodes.get(node.name) == "succeeded"
    }
    assert_nothing_left(run)
