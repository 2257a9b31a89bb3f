"""A reference interpreter: how a run of a plan must end, said as plainly as possible.

It knows no order of completion, no counters, no early opening: nodes are looked at in the plan's
order, in which each comes after what it waits for, and each is decided by how its upstreams ended.
The engine, which does all of it piece by piece and in any order, must come to the same end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from celesta.graph.gates import verdict
from celesta.graph.plan import NONE, Gate, Plan, PlanNode

#: How a node's body ends: "succeeded", "failed" or "skipped".
Bodies = Callable[[PlanNode], str]


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a run: states of the nodes of the forward pass by name, and of the run."""

    nodes: dict[str, str]
    run: str


def interpret(plan: Plan, bodies: Bodies) -> Ended:
    """Run a plan in thought; ``bodies`` is asked once for each node that runs."""
    states: dict[int, str] = {}
    for node in plan.nodes:
        if node.body_of != NONE or node.compensates != NONE:
            continue
        decided = "run" if node.gate == NONE else _verdict(plan.gates[node.gate], states)
        if decided == "run":
            states[node.index] = "succeeded" if node.auto else bodies(node)
        else:
            states[node.index] = {"skip": "skipped", "fail": "upstream_failed"}[decided]
    return Ended({plan.nodes[i].name: state for i, state in states.items()}, _run(plan, states))


def _verdict(gate: Gate, states: dict[int, str]) -> str:
    ends = [states[upstream] for upstream in gate.upstreams]
    succeeded, skipped = ends.count("succeeded"), ends.count("skipped")
    return verdict(
        gate.rule,
        total=len(ends),
        succeeded=succeeded,
        skipped=skipped,
        failed=len(ends) - succeeded - skipped,
    )


def _run(plan: Plan, states: dict[int, str]) -> str:
    """A run fails by a failure that no child accepts, and by a last resort that never ran."""
    for node in plan.nodes:
        state = states.get(node.index)
        if state == "failed" and not node.handled:
            return "failed"
        if state == "upstream_failed" and node.last_resort:
            return "failed"
    return "succeeded"
