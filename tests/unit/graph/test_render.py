"""I2: a plan drawn as mermaid and dot."""

from __future__ import annotations

import pytest

from celesta.graph.render import COLOURS, dot, mermaid, render
from celesta.runs.states import NodeState
from tests.unit.graph.support import flow, plan_of

PLAN = plan_of(
    flow("""
get: {type: transform, title: 'Get <it> "now"'}
lines:
  type: map
  needs: [get]
  with: {over: "{{ nodes.get.output }}", do: {type: transform}}
late: {type: transform, needs: [get, lines], join: any_failed}
undo: {type: transform, compensates: get}
""")
)


def test_mermaid_shows_nodes_edges_and_states() -> None:
    text = mermaid(PLAN, {"get": "succeeded", "lines": "running", "late": "nonsense"})
    assert text.splitlines() == [
        "flowchart TD",
        '  n0["Get &lt;it&gt; &quot;now&quot;<br/><small>transform</small>"]',
        '  n1[["lines<br/><small>map</small>"]]',
        '  n2["late<br/><small>transform</small>"]',
        '  n3["lines.do<br/><small>transform</small>"]',
        '  n4["undo<br/><small>transform</small>"]',
        "  n0 --> n1",
        "  n0 -->|any_failed| n2",
        "  n1 -->|any_failed| n2",
        "  n1 -. each item .-> n3",
        "  n0 -. undone by .-> n4",
        "  classDef running fill:#a5d8ff,stroke:#1971c2,color:#111",
        "  class n1 running",
        "  classDef succeeded fill:#b2f2bb,stroke:#2f9e44,color:#111",
        "  class n0 succeeded",
    ]


def test_dot_shows_nodes_edges_and_states() -> None:
    assert dot(PLAN, {"get": "failed"}).splitlines() == [
        'digraph "tests.flow" {',
        '  node [shape=box, style="rounded,filled", fillcolor=white];',
        '  n0 [label="Get <it> \\"now\\"\\ntransform", fillcolor="#ffc9c9", color="#e03131"];',
        '  n1 [label="lines\\nmap"];',
        '  n2 [label="late\\ntransform"];',
        '  n3 [label="lines.do\\ntransform"];',
        '  n4 [label="undo\\ntransform"];',
        "  n0 -> n1;",
        '  n0 -> n2 [label="any_failed"];',
        '  n1 -> n2 [label="any_failed"];',
        '  n1 -> n3 [style=dashed, label="each item"];',
        '  n0 -> n4 [style=dashed, label="undone by"];',
        "}",
    ]


def test_every_state_has_a_colour() -> None:
    assert set(COLOURS) == {state.value for state in NodeState}


def test_other_forms_are_refused() -> None:
    assert render(PLAN, "dot").startswith("digraph")
    assert render(PLAN, "mermaid").startswith("flowchart")
    with pytest.raises(ValueError, match="neither"):
        render(PLAN, "svg")  # type: ignore[arg-type]
