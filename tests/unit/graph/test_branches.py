"""X4: branches, and edges that name a case."""

from __future__ import annotations

from typing import Any

import pytest

from celesta.graph.expressions import condition
from tests.unit.graph.support import faults, flow, plan_of, warnings

ROUTE = """
fetch: {type: transform}
route:
  type: branch
  needs: [fetch]
  with:
    cases: {express: "{{ nodes.fetch.output.express }}", heavy: "{{ nodes.fetch.output.kg > 30 }}"}
    default: plain
fly: {type: transform, needs: [route.express]}
drive: {type: transform, needs: [route.heavy, route.plain], when: "nodes.fetch.output.kg < 900"}
done: {type: transform, needs: [fly, drive], join: none_failed}
"""


def taken(case: str | None, name: str) -> bool:
    node = plan_of(flow(ROUTE)).by_name()[name]
    route: dict[str, Any] = {"state": "skipped" if case is None else "succeeded"}
    route["output"] = {"case": case}
    fetch = {"state": "succeeded", "output": {"kg": 40}}
    assert node.when is not None
    return condition(node.when, {"nodes": {"route": route, "fetch": fetch}})


@pytest.mark.parametrize(
    ("case", "fly", "drive"),
    [("express", True, False), ("heavy", False, True), ("plain", False, True)],
)
def test_a_node_that_needs_a_case_runs_only_in_that_case(case: str, fly: bool, drive: bool) -> None:
    assert (taken(case, "fly"), taken(case, "drive")) == (fly, drive)


def test_the_own_condition_counts_as_well_and_both_are_read() -> None:
    plan = plan_of(flow(ROUTE))
    nodes = plan.by_name()
    assert nodes["drive"].refs == (nodes["fetch"].index, nodes["route"].index)
    assert nodes["fly"].refs == (nodes["route"].index,)
    assert nodes["fly"].gate == nodes["drive"].gate


def test_a_branch_that_may_be_skipped_is_asked_with_care() -> None:
    document = flow(
        "b: {type: branch, with: {cases: {x: true}}}\n"
        "c: {type: transform, needs: [b.x], join: all_done}"
    )
    node = plan_of(document).by_name()["c"]
    assert node.when is not None
    assert condition(node.when, {"nodes": {"b": {"state": "failed", "output": None}}}) is False
    assert condition(node.when, {"nodes": {"b": {"state": "succeeded", "output": {"case": "x"}}}})


def test_cases_written_as_a_list_are_known_as_well() -> None:
    document = flow({
        "b": {"type": "branch", "with": {"cases": [{"case": "x", "when": "{{ true }}"}]}},
        "c": {"type": "transform", "needs": ["b.x"]},
        "d": {"type": "transform", "needs": ["b.y"]},
    })  # fmt: skip
    assert ("unknown_case", "nodes.d.needs[0]") in faults(document)
    assert ("unknown_case", "nodes.c.needs[0]") not in faults(document)


def test_cases_are_checked() -> None:
    found = faults(flow(ROUTE + """
x1: {type: transform, needs: [route.expres]}
x2: {type: transform, needs: [fetch.ok]}
x3: {type: transform, needs: [route.plain, fetch], join: any_success}
x4: {type: transform, needs: [route.plain, route.plain]}
x5: {type: transform, needs: [route.plain, route]}
x6: {type: transform, needs: [route, route.plain]}
"""))  # fmt: skip
    assert found == [
        ("unknown_case", "nodes.x1.needs[0]"),
        ("unknown_case", "nodes.x2.needs[0]"),
        ("invalid_join", "nodes.x3.needs[0]"),
        ("duplicate_need", "nodes.x4.needs[1]"),
        ("duplicate_need", "nodes.x5.needs[1]"),
        ("duplicate_need", "nodes.x6.needs[1]"),
    ]


def test_the_conditions_of_cases_are_checked_like_all_expressions() -> None:
    document = flow("b: {type: branch, with: {cases: {x: '{{ nodes.b.output }}', y: '{{ 1 + }}'}}}")
    assert set(faults(document)) == {
        ("not_an_ancestor", "nodes.b.with.cases.x"),
        ("expression_syntax", "nodes.b.with.cases.y"),
    }


def test_two_cases_of_one_branch_cannot_both_be_taken() -> None:
    document = flow(ROUTE + "both: {type: transform, needs: [fly, drive]}\n")
    assert ("unreachable_node", "nodes.both") in warnings(document)
