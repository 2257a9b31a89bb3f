"""X2, X3: random graphs, rules and outcomes end as the reference says, in any order."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from celesta.graph import certainty
from celesta.graph.gates import RULES, verdict
from celesta.graph.plan import NONE, Plan, PlanNode
from tests.reference import Ended, interpret
from tests.unit.graph.support import flow, plan_of

ENDS = ("succeeded", "failed", "skipped")


@dataclass(frozen=True)
class Case:
    plan: Plan
    ends: dict[str, str]
    seed: int

    def body(self, node: PlanNode) -> str:
        return self.ends.get(node.name, "succeeded")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(1, 9))
    nodes: dict[str, Any] = {}
    for i in range(count):
        node: dict[str, Any] = {"type": "transform", "join": draw(st.sampled_from(RULES))}
        nodes[f"n{i}"] = node
        if i:
            ups = draw(st.sets(st.integers(0, i - 1), max_size=3))
            node["needs"] = [f"n{up}" for up in sorted(ups)]
    ends = {name: draw(st.sampled_from(ENDS)) for name in nodes}
    return Case(plan_of(flow(nodes)), ends, draw(st.integers(0, 2**32)))


@dataclass
class Stepwise:
    """A run by counters, one completion at a time in a random order: what the engine does."""

    case: Case
    running: list[PlanNode] = field(default_factory=list)
    states: dict[int, str] = field(default_factory=dict)
    counts: dict[int, dict[str, int]] = field(default_factory=dict)
    fired: set[int] = field(default_factory=set)

    def run(self) -> dict[str, str]:
        plan, random = self.case.plan, Random(self.case.seed)
        self.running = [node for node in plan.nodes if node.gate == NONE]
        while self.running:
            node = self.running.pop(random.randrange(len(self.running)))
            self.end(node, "succeeded" if node.auto else self.case.body(node))
            if node is plan.end:
                assert not self.running, "the run ended before its nodes"
        return {plan.nodes[index].name: state for index, state in self.states.items()}

    def end(self, node: PlanNode, state: str) -> None:
        assert node.index not in self.states, "a node ended twice"
        self.states[node.index] = state
        for gate in node.feeds:
            self.count(gate, state)

    def count(self, index: int, state: str) -> None:
        counts = self.counts.setdefault(index, dict.fromkeys(ENDS, 0))
        counts["failed" if state == "upstream_failed" else state] += 1
        if index in self.fired:
            return
        gate = self.case.plan.gates[index]
        decided = verdict(gate.rule, total=len(gate.upstreams), **counts)
        if decided == "wait":
            return
        self.fired.add(index)
        for child in (self.case.plan.nodes[i] for i in gate.nodes):
            if decided == "run":
                self.running.append(child)
            else:
                self.end(child, {"skip": "skipped", "fail": "upstream_failed"}[decided])


@settings(max_examples=400, deadline=None)
@given(cases())
def test_any_order_of_completion_ends_as_the_reference_says(case: Case) -> None:
    assert Stepwise(case).run() == interpret(case.plan, case.body).nodes


@settings(max_examples=400, deadline=None)
@given(cases())
def test_what_is_certain_before_a_node_has_always_succeeded(case: Case) -> None:
    conditional = [case.ends[node.name] == "skipped" for node in case.plan.nodes[:-1]]
    ended = interpret(case.plan, case.body)
    for index, certain in enumerate(_certain(case.plan, conditional)):
        node = case.plan.nodes[index]
        if ended.nodes[node.name] not in {"upstream_failed"} and _ran(case, ended, node):
            for other in case.plan.nodes[:-1]:
                if certain >> other.index & 1:
                    assert ended.nodes[other.name] == "succeeded", (node.name, other.name)


@settings(max_examples=400, deadline=None)
@given(cases(), st.booleans())
def test_what_is_certain_at_the_end_has_succeeded_in_every_good_run(
    case: Case, skips: bool
) -> None:
    forward = case.plan.nodes[:-1]
    conditional = [skips and case.ends[node.name] == "skipped" for node in forward]
    ends = {
        name: "succeeded" if end == "skipped" and not skips else end
        for name, end in case.ends.items()
    }
    ended = interpret(case.plan, lambda node: ends.get(node.name, "succeeded"))
    sure = certainty.at_the_end(_rules(case.plan), _upstreams(case.plan), conditional)
    if ended.run == "succeeded":
        for node in forward:
            if sure >> node.index & 1:
                assert ended.nodes[node.name] == "succeeded"


@settings(max_examples=300, deadline=None)
@given(cases())
def test_a_run_without_failed_bodies_succeeds(case: Case) -> None:
    def body(node: PlanNode) -> str:
        return "skipped" if case.body(node) == "skipped" else "succeeded"

    assert interpret(case.plan, body).run == "succeeded"


def _rules(plan: Plan) -> list[Any]:
    return [
        plan.gates[node.gate].rule if node.gate != NONE else "all_success"
        for node in plan.nodes[:-1]
    ]


def _upstreams(plan: Plan) -> list[tuple[int, ...]]:
    return [
        plan.gates[node.gate].upstreams if node.gate != NONE else () for node in plan.nodes[:-1]
    ]


def _certain(plan: Plan, conditional: list[bool]) -> list[int]:
    found = certainty.Certain()
    for rule, above, skips in zip(_rules(plan), _upstreams(plan), conditional, strict=True):
        found.add(rule, above, found.before(rule, above), conditional=skips)
    return found.by_success


def _ran(case: Case, ended: Ended, node: PlanNode) -> bool:
    if node.gate == NONE:
        return True
    gate = case.plan.gates[node.gate]
    ends = [ended.nodes[case.plan.nodes[up].name] for up in gate.upstreams]
    bad = sum(end in {"failed", "upstream_failed"} for end in ends)
    counts = {"succeeded": ends.count("succeeded"), "skipped": ends.count("skipped"), "failed": bad}
    return verdict(gate.rule, total=len(ends), **counts) == "run"
