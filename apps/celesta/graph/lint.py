"""Warnings: what is allowed and probably not meant. Unreachable and dead-end nodes are named."""

from __future__ import annotations

from collections.abc import Mapping

from celesta.graph import templates
from celesta.graph.build import END, Uses
from celesta.graph.cel import syntax
from celesta.graph.cel.parser import parse
from celesta.graph.findings import Findings
from celesta.graph.needs import BRANCH, Edges
from celesta.graph.spec import Spec
from celesta.graph.topology import Topology

#: Types whose nodes do nothing but make an output.
PURE_TYPES = frozenset({"transform", BRANCH})

#: Cases that a node needs to have been taken, by branch.
Cases = Mapping[str, frozenset[str]]


def check(
    spec: Spec,
    edges: Edges,
    topology: Topology,
    conditions: Mapping[str, str],
    uses: Mapping[str, Uses],
    findings: Findings,
) -> None:
    """Report nodes that never run, and nodes that nothing comes of."""
    _unreachable(spec, edges, topology, conditions, findings)
    _dead_ends(spec, topology, uses, findings)


def _unreachable(
    spec: Spec,
    edges: Edges,
    topology: Topology,
    conditions: Mapping[str, str],
    findings: Findings,
) -> None:
    never: set[int] = set()
    taken: list[Cases] = []
    for index, name in enumerate(topology.order):
        upstreams = topology.upstreams[index]
        cases = _cases(spec, edges, name, [taken[u] for u in upstreams])
        reason = ""
        if _is_false(conditions.get(name)):
            reason = "its condition is never true"
        elif not all(cases.values()):
            reason = "it needs two cases of one branch"
        elif upstreams and _never_opens(spec, name, upstreams, never):
            reason = "nodes that it needs never run"
        if reason:
            never.add(index)
            hint = "Change its `needs`, `join` or `when`, or remove it."
            path = spec.nodes[name].path
            findings.warning("unreachable_node", path, f"{name!r} never runs: {reason}.", hint)
        taken.append({} if reason else cases)


def _cases(spec: Spec, edges: Edges, name: str, above: list[Cases]) -> Cases:
    """The cases taken when this node runs; an empty set where they exclude each other."""
    layers = [{b: frozenset(c) for b, c in edges.cases.get(name, {}).items()}]
    if spec.nodes[name].join == "all_success":
        layers.extend(dict(layer) for layer in above if layer)
    found: dict[str, frozenset[str]] = {}
    for layer in layers:
        for branch, cases in layer.items():
            found[branch] = found.get(branch, cases) & cases
    return found


def _is_false(condition: str | None) -> bool:
    """True for a condition that is spelt false."""
    if condition is None:
        return False
    tree = parse(templates.bare(condition))
    return isinstance(tree, syntax.Literal) and tree.value is False


def _never_opens(spec: Spec, name: str, upstreams: tuple[int, ...], never: set[int]) -> bool:
    rule = spec.nodes[name].join
    if rule in {"all_success", "none_skipped"}:
        return any(upstream in never for upstream in upstreams)
    return rule == "any_success" and never.issuperset(upstreams)


def _dead_ends(
    spec: Spec, topology: Topology, uses: Mapping[str, Uses], findings: Findings
) -> None:
    read = {name for used in uses.values() for name in used.nodes}
    children = topology.children()
    has_edges = any(topology.upstreams)
    for index, name in enumerate(topology.order):
        if children[index] or name in read:
            continue
        node = spec.nodes[name]
        if has_edges and not topology.upstreams[index]:
            message = f"{name!r} is connected to no other node."
            hint = "Add it to the `needs` of another node, or give it needs."
            findings.warning("dead_end_node", node.path, message, hint)
        elif node.type in PURE_TYPES and spec.output is not None and END in uses:
            message = f"Nothing comes of {name!r}: no node needs it and nobody reads its output."
            findings.warning("dead_end_node", node.path, message, "Use its output, or remove it.")
