"""Plans as pictures: boxes, lines, joints, bars, and an overview of what is too large."""

from __future__ import annotations

from math import ceil
from typing import Any

import celesta_worker.nodes
from celesta.console.drawing.pictures import DRAWN, picture, segments, shortened
from celesta.graph.compiler import compile_document
from celesta.graph.node_types import registry
from celesta.graph.plan import Plan

celesta_worker.nodes.register_all(registry)


def plan_of(nodes: dict[str, Any], **more: Any) -> Plan:
    document = {"workflow": "a.b", "nodes": nodes, **more}
    compiled = compile_document(document)
    assert compiled.plan is not None, compiled.problems
    return compiled.plan


def node(*needs: str, **more: Any) -> dict[str, Any]:
    return {"type": "transform", "with": {"output": 1}, "needs": list(needs), **more}


def test_states_colour_boxes_and_the_lines_that_leave_them() -> None:
    plan = plan_of({"a": node(), "b": node("a", title="Second")})
    drawn = picture(plan, {0: "succeeded", 1: "running"})
    assert [(box.label, box.state) for box in drawn.boxes] == [
        ("a", "succeeded"),
        ("Second", "running"),
    ]
    (line,) = drawn.lines
    assert line.state == "succeeded"
    assert line.path.startswith("M")
    assert drawn.width > drawn.boxes[1].x


def test_ten_that_need_ten_are_twenty_lines() -> None:
    first = {f"a{i}": node() for i in range(10)}
    second = {f"b{i}": node(*first) for i in range(10)}
    drawn = picture(plan_of({**first, **second}))
    assert len(drawn.lines) == 20
    assert len(drawn.boxes) == 20


def test_a_map_is_one_box_with_a_bar_of_its_items() -> None:
    over = {"over": [1, 2], "do": {"type": "transform", "with": {"output": 1}}}
    plan = plan_of({"m": {"type": "map", "with": over}})
    drawn = picture(plan, {0: "running"}, {0: {"succeeded": 3, "ready": 1}})
    (box,) = drawn.boxes
    assert box.note == "3 / 4"
    assert [(part.state, part.count) for part in box.bar] == [("succeeded", 3), ("ready", 1)]


def test_an_end_that_computes_an_output_is_drawn_and_a_bare_one_is_not() -> None:
    assert len(picture(plan_of({"a": node()})).boxes) == 1
    assert len(picture(plan_of({"a": node()}, output="{{ nodes.a.output }}")).boxes) == 2


def test_a_large_graph_is_an_overview_by_layers() -> None:
    count = DRAWN + 1
    wide = picture(plan_of({f"n{i}": node() for i in range(count)}), {0: "failed"})
    (group,) = wide.groups
    assert (group.label, group.total) == ("Layer 1", count)
    assert {part.state: part.count for part in group.bar} == {"failed": 1, "pending": count - 1}
    deep = plan_of({f"n{i}": node(*([f"n{i - 1}"] if i else [])) for i in range(count)})
    groups = picture(deep).groups
    assert sum(group.total for group in groups) == count
    assert len(groups) <= 48
    assert groups[0].label == f"Layers 1 to {ceil(count / 48)}"


def test_a_wide_graph_is_seen_from_far_away_at_first() -> None:
    chain = {f"n{i}": node(*([f"n{i - 1}"] if i else [])) for i in range(40)}
    assert picture(plan_of(chain)).far
    assert not picture(plan_of({"a": node(), "b": node("a")})).far


def test_segments_fill_the_bar() -> None:
    parts = segments({"failed": 1, "succeeded": 2, "pending": 1}, 100.0)
    assert [(part.state, part.x, part.width) for part in parts] == [
        ("succeeded", 0.0, 50.0),
        ("failed", 50.0, 25.0),
        ("pending", 75.0, 25.0),
    ]
    assert segments({}, 100.0) == []


def test_long_labels_are_cut() -> None:
    assert shortened("short") == "short"
    assert shortened("a" * 40).endswith("…")
    assert len(shortened("a" * 40)) == 16
