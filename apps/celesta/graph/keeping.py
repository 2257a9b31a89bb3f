"""Which nodes of a run that has ended keep what they ended with when it is run again.

Pure: a run is told as the states of its nodes. What runs again, runs with all its descendants, so
every ancestor of a kept node is kept, and the gates decide as they did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from celesta.graph.plan import NONE, Plan, PlanNode

#: States with which a node can be kept.
KEEPABLE: Final = frozenset({"succeeded", "skipped"})


@dataclass(frozen=True, slots=True)
class Kept:
    """A node of the new run that does not run: as ``old`` did, or (None) with a given output."""

    node: int
    old: int | None
    state: str


def forward(plan: Plan) -> list[PlanNode]:
    """The nodes of the forward pass: neither bodies of maps, nor compensations, nor the end."""
    return [n for n in plan.nodes[:-1] if n.body_of == NONE and n.compensates == NONE]


def with_descendants(plan: Plan, seeds: Iterable[int]) -> set[int]:
    """These nodes and all that come after them."""
    found: set[int] = set()
    left = list(seeds)
    while left:
        node = left.pop()
        if node not in found:
            found.add(node)
            left += [after for gate in plan.nodes[node].feeds for after in plan.gates[gate].nodes]
    return found


def definition(plan: Plan, node: PlanNode) -> tuple[Any, ...]:
    """What decides a node's result, told without indexes, so that versions can be compared.

    How often it is tried, for how long, and on which queue, is not part of it.
    """
    gate = plan.gates[node.gate] if node.gate != NONE else None
    body = plan.nodes[node.body] if node.body != NONE else None
    return (
        node.type,
        node.config,
        node.when,
        gate and gate.rule,
        gate and sorted(plan.nodes[up].name for up in gate.upstreams),
        body and (body.type, body.config, body.when),
    )


def kept_of(
    old: Plan,
    new: Plan,
    states: Mapping[int, str],
    *,
    chosen: Collection[int] = (),
    undone: Collection[int] = (),
    given: Collection[int] = (),
) -> list[Kept]:
    """The nodes of ``new`` that keep what they ended with in a run of ``old``.

    ``states`` and ``undone`` (nodes whose compensation ran) are by index in ``old``; ``chosen``
    (run again in any case) and ``given`` (their output is given: they do not run) in ``new``.
    """
    before = old.by_name()
    same: dict[int, int] = {}
    for node in forward(new):
        was = before.get(node.name)
        if (
            was is not None
            and was.index not in undone
            and states.get(was.index) in KEEPABLE
            and definition(old, was) == definition(new, node)
        ):
            same[node.index] = was.index
    again = [n.index for n in forward(new) if n.index not in same or n.index in chosen]
    runs = with_descendants(new, {*again, *given})
    found = [Kept(index, was, states[was]) for index, was in same.items() if index not in runs]
    return sorted([*found, *(Kept(i, None, "succeeded") for i in given)], key=lambda k: k.node)


def kept_before(plan: Plan, chosen: Collection[int]) -> list[Kept]:
    """For a start in the middle: all but the chosen nodes and their descendants."""
    runs = with_descendants(plan, chosen)
    return [Kept(n.index, None, "succeeded") for n in forward(plan) if n.index not in runs]


def read_by(plan: Plan, kept: Collection[int]) -> dict[int, list[str]]:
    """The kept nodes that a node reads which runs, with the names of their readers."""
    found: dict[int, list[str]] = {}
    for node in plan.nodes:
        owner = node.body_of if node.body_of != NONE else node.index
        if owner in kept or node.compensates != NONE:
            continue
        for ref in node.refs:
            if ref in kept:
                found.setdefault(ref, []).append(plan.nodes[owner].name)
    return found
