"""Draws a plan as mermaid or dot text, coloured by the states of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal

from celesta.graph.gates import DEFAULT_RULE
from celesta.graph.plan import NONE, Plan, PlanNode

Form = Literal["mermaid", "dot"]

#: Fill and line by state, readable on light and dark pages, with dark text on them.
COLOURS: dict[str, tuple[str, str]] = {
    "pending": ("#f1f3f5", "#adb5bd"),
    "ready": ("#d0ebff", "#4dabf7"),
    "running": ("#a5d8ff", "#1971c2"),
    "waiting": ("#fff3bf", "#f08c00"),
    "succeeded": ("#b2f2bb", "#2f9e44"),
    "failed": ("#ffc9c9", "#e03131"),
    "skipped": ("#e9ecef", "#868e96"),
    "upstream_failed": ("#ffe3e3", "#f03e3e"),
    "cancelled": ("#dee2e6", "#495057"),
}


def render(plan: Plan, form: Form, states: Mapping[str, str] | None = None) -> str:
    """The graph as text. ``states`` maps names of nodes to their states; others stay plain."""
    if form == "mermaid":
        return mermaid(plan, states)
    if form == "dot":
        return dot(plan, states)
    raise ValueError(f"{form!r} is neither 'mermaid' nor 'dot'")


def edges(plan: Plan) -> list[tuple[PlanNode, PlanNode, str]]:
    """Upstream, child and label (a join rule that is not the default) of each drawn edge.

    ``end`` is left out: every last node leads to it.
    """
    return [
        (plan.nodes[upstream], plan.nodes[child], "" if gate.rule == DEFAULT_RULE else gate.rule)
        for gate in plan.gates
        for child in gate.nodes
        if child != plan.end.index
        for upstream in gate.upstreams
    ]


def _drawn(plan: Plan) -> Iterable[PlanNode]:
    return plan.nodes[:-1]


def _label(node: PlanNode) -> str:
    return node.title or node.name


def mermaid(plan: Plan, states: Mapping[str, str] | None = None) -> str:
    """A mermaid flowchart, top down."""
    lines = ["flowchart TD"]
    lines += [f"  n{node.index}{_mermaid_shape(node)}" for node in _drawn(plan)]
    for upstream, child, label in edges(plan):
        arrow = f"-->|{label}|" if label else "-->"
        lines.append(f"  n{upstream.index} {arrow} n{child.index}")
    for node in _drawn(plan):
        for other, label in _side_links(plan, node):
            lines.append(f"  n{other.index} -. {label} .-> n{node.index}")
    lines += _mermaid_states(plan, states or {})
    return "\n".join(lines) + "\n"


def _mermaid_shape(node: PlanNode) -> str:
    # Mermaid reads markup inside quotes; entities are its only escape.
    text = _label(node).replace("&", "&amp;").replace('"', "&quot;")
    text = text.replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
    quoted = f'"{text}<br/><small>{node.type}</small>"'
    if node.type == "branch":
        return f"{{{{{quoted}}}}}"
    if node.type == "map":
        return f"[[{quoted}]]"
    return f"[{quoted}]"


def _mermaid_states(plan: Plan, states: Mapping[str, str]) -> list[str]:
    by_state: dict[str, list[str]] = {}
    for node in _drawn(plan):
        state = states.get(node.name)
        if state in COLOURS:
            by_state.setdefault(state, []).append(f"n{node.index}")
    lines = []
    for state, members in sorted(by_state.items()):
        fill, line = COLOURS[state]
        lines.append(f"  classDef {state} fill:{fill},stroke:{line},color:#111")
        lines.append(f"  class {','.join(members)} {state}")
    return lines


def dot(plan: Plan, states: Mapping[str, str] | None = None) -> str:
    """A Graphviz digraph."""
    name = json.dumps(plan.workflow)
    lines = [f"digraph {name} {{", '  node [shape=box, style="rounded,filled", fillcolor=white];']
    lines += [
        f"  n{node.index} [{_dot_attributes(node, (states or {}).get(node.name))}];"
        for node in _drawn(plan)
    ]
    for upstream, child, label in edges(plan):
        suffix = f" [label={json.dumps(label)}]" if label else ""
        lines.append(f"  n{upstream.index} -> n{child.index}{suffix};")
    for node in _drawn(plan):
        for other, label in _side_links(plan, node):
            attributes = f"style=dashed, label={json.dumps(label)}"
            lines.append(f"  n{other.index} -> n{node.index} [{attributes}];")
    return "\n".join([*lines, "}"]) + "\n"


def _dot_attributes(node: PlanNode, state: str | None) -> str:
    text = f"{_label(node)}\n{node.type}".replace("\\", "\\\\").replace('"', '\\"')
    label = '"' + text.replace("\n", "\\n") + '"'
    attributes = [f"label={label}"]
    if state in COLOURS:
        fill, line = COLOURS[state]
        attributes += [f'fillcolor="{fill}"', f'color="{line}"']
    return ", ".join(attributes)


def _side_links(plan: Plan, node: PlanNode) -> list[tuple[PlanNode, str]]:
    """The map whose body this is, or the node that it compensates, and a word for the link."""
    if node.body_of != NONE:
        return [(plan.nodes[node.body_of], "each item")]
    if node.compensates != NONE:
        return [(plan.nodes[node.compensates], "undone by")]
    return []
