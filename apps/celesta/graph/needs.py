"""Edges: which node waits for which, with every faulty ``needs`` entry named."""

from __future__ import annotations

from dataclasses import dataclass, field

from celesta.graph.findings import Findings, did_you_mean
from celesta.graph.gates import EARLY_RULES
from celesta.graph.paths import Path
from celesta.graph.spec import Need, NodeSpec, Spec

BRANCH = "branch"
MAP = "map"


@dataclass(frozen=True, slots=True)
class Edges:
    """The edges of a document. Compensation nodes have none and are not in it."""

    #: Upstream names of each node of the forward pass, in the author's order.
    upstreams: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Cases that each node asks of the branches it needs: node -> branch -> cases.
    cases: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    #: Nodes with a faulty entry: what their ancestors are is not known.
    faulty: frozenset[str] = frozenset()


def read(spec: Spec, findings: Findings) -> Edges:
    """Check all needs and give the edges that remain."""
    upstreams: dict[str, tuple[str, ...]] = {}
    cases: dict[str, dict[str, tuple[str, ...]]] = {}
    faulty: set[str] = set()
    for node in spec.nodes.values():
        if node.compensates is not None:
            _check_compensation(node, spec, findings)
            continue
        good = _good_needs(node, spec, findings)
        if len(good) < len(node.needs):
            faulty.add(node.name)
        upstreams[node.name] = tuple(dict.fromkeys(need.node for need in good))
        asked = _cases(good)
        if asked:
            cases[node.name] = asked
    _check_compensated_once(spec, findings)
    if spec.nodes and not upstreams:
        message = "There are only compensations."
        findings.error("empty_workflow", ("nodes",), message, "Add at least one step.")
    return Edges(upstreams, cases, frozenset(faulty))


def _cases(needs: list[Need]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for need in needs:
        if need.case is not None:
            found[need.node] = (*found.get(need.node, ()), need.case)
    return found


def _good_needs(node: NodeSpec, spec: Spec, findings: Findings) -> list[Need]:
    good: list[Need] = []
    seen: dict[str, set[str | None]] = {}
    for at, need in node.needs:
        if _check(node, at, need, spec, findings):
            cases = seen.setdefault(need.node, set())
            # Two cases of one branch are two needs; the branch itself is all of its cases.
            if need.case in cases or None in cases or (cases and need.case is None):
                message = f"{node.name!r} needs {need.node!r} twice."
                path: Path = (*node.path, "needs", at)
                findings.error("duplicate_need", path, message, "Remove one of the two.")
            else:
                good.append(need)
            cases.add(need.case)
    return good


def _check(node: NodeSpec, at: int, need: Need, spec: Spec, findings: Findings) -> bool:
    """True when this entry is good; otherwise the problem is reported."""
    path: Path = (*node.path, "needs", at)
    if need.node == node.name:
        hint = "Remove it: a node cannot wait for itself."
        findings.error("self_dependency", path, f"{node.name!r} needs itself.", hint)
        return False
    target = spec.nodes.get(need.node)
    if target is None:
        hint = did_you_mean(need.node, spec.nodes)
        findings.error("unknown_need", path, f"There is no node {need.node!r}.", hint)
        return False
    if target.compensates is not None:
        message = f"{need.node!r} compensates another node and is no step of the workflow."
        findings.error("unknown_need", path, message, "Need the node that it compensates.")
        return False
    return _check_case(node, path, need, target, findings)


def _check_case(
    node: NodeSpec, path: Path, need: Need, target: NodeSpec, findings: Findings
) -> bool:
    if need.case is None:
        return True
    known = case_names(target)
    if need.case not in known:
        message = f"{need.node!r} has no case {need.case!r}."
        hint = did_you_mean(need.case, known) if known else "Only a branch node has cases."
        findings.error("unknown_case", path, message, hint)
        return False
    if node.join in EARLY_RULES:
        message = f"A case of a branch cannot be needed under {node.join!r}."
        hint = "Need the branch itself, and say the case in `when`."
        findings.error("invalid_join", path, message, hint)
        return False
    return True


def case_names(node: NodeSpec) -> list[str]:
    """The outcomes a branch node may have; empty for other types."""
    if node.type != BRANCH:
        return []
    cases = node.config.get("cases")
    names = [str(name) for name in cases] if isinstance(cases, dict) else []
    if isinstance(cases, list):
        names = [str(case.get("case")) for case in cases if isinstance(case, dict)]
    default = node.config.get("default")
    if isinstance(default, str) and default not in names:
        names.append(default)
    return names


def _check_compensation(node: NodeSpec, spec: Spec, findings: Findings) -> None:
    path: Path = (*node.path, "compensates")
    target = spec.nodes.get(node.compensates or "")
    if target is None:
        hint = did_you_mean(node.compensates or "", spec.nodes)
        message = f"There is no node {node.compensates!r}."
        findings.error("unknown_node", path, message, hint)
    elif target.compensates is not None:
        message = f"{target.name!r} is itself a compensation, or this node."
        findings.error("invalid_compensation", path, message, "Name a step of the workflow.")
    if node.type == MAP:
        message = "A map cannot be a compensation."
        hint = "Undo the items in one node, which reads the map's output."
        findings.error("invalid_compensation", (*node.path, "type"), message, hint)
    if node.needs or node.when is not None or node.join != "all_success":
        message = "A compensation has no needs, join or when: it runs when its node is undone."
        findings.error("invalid_compensation", node.path, message, "Remove these fields.")


def _check_compensated_once(spec: Spec, findings: Findings) -> None:
    undone: dict[str, str] = {}
    for node in spec.nodes.values():
        if node.compensates is None:
            continue
        first = undone.setdefault(node.compensates, node.name)
        if first != node.name:
            message = f"{node.compensates!r} is already compensated by {first!r}."
            path: Path = (*node.path, "compensates")
            findings.error("invalid_compensation", path, message, "Keep one compensation a node.")
