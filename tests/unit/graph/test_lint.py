"""D4: unreachable and dead-end nodes are named."""

from __future__ import annotations

import pytest

from tests.unit.graph.support import chain, flow, plan_of, warnings


def test_a_sound_workflow_has_no_warnings() -> None:
    assert warnings(flow(chain("a", "b", "c"), "output: '{{ nodes.c.output }}'")) == []
    assert warnings(flow(chain("a"))) == []


@pytest.mark.parametrize("when", ["false", "{{ false }}"])
def test_a_node_that_never_runs_is_named_with_all_behind_it(when: str) -> None:
    document = flow(f"""
    a: {{type: transform}}
    b: {{type: transform, needs: [a], when: "{when}"}}
    c: {{type: transform, needs: [b]}}
    d: {{type: transform, needs: [c, a], join: none_failed}}
    e: {{type: transform, needs: [c], join: any_success}}
    f: {{type: transform, needs: [c, a], join: none_skipped}}
    g: {{type: transform, needs: [c], join: all_done}}
    """)
    assert warnings(document) == [
        ("unreachable_node", "nodes.b"),
        ("unreachable_node", "nodes.c"),
        ("unreachable_node", "nodes.e"),
        ("unreachable_node", "nodes.f"),
    ]
    assert plan_of(document)  # warnings do not keep a document from being published


def test_a_node_connected_to_nothing_is_named() -> None:
    nodes = {**chain("a", "b"), "lonely": {"type": "http", "with": {"url": "x"}}}
    assert warnings(flow(nodes)) == [("dead_end_node", "nodes.lonely")]
    assert warnings(flow({"a": nodes["a"], "lonely": nodes["lonely"]})) == []


def test_a_node_without_effect_whose_output_nobody_reads_is_named() -> None:
    nodes = {
        **chain("a", "b"),
        "unread": {"type": "transform", "needs": ["a"]},
        "effect": {"type": "http", "needs": ["a"], "with": {"url": "x"}},
    }
    assert warnings(flow(nodes, "output: '{{ nodes.b.output }}'")) == [
        ("dead_end_node", "nodes.unread")
    ]
    assert warnings(flow(nodes)) == []
