"""Params against their schema: what does not fit is told by path, and no schema runs away."""

import time
from typing import Any

import pytest

from celesta.graph.params_check import MAX_PROBLEMS, problems_of


def told(schema: dict[str, Any], params: dict[str, Any]) -> list[tuple[str, str]]:
    return [(problem.code, problem.path) for problem in problems_of(schema, params)]


def doubling(levels: int) -> dict[str, Any]:
    """A small schema that asks for 2**levels checks."""
    step = {
        f"d{i}": {"allOf": [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}"}]}
        for i in range(levels)
    }
    return {"$ref": "#/$defs/d0", "$defs": {**step, f"d{levels}": {"type": "object"}}}


@pytest.mark.parametrize(
    ("schema", "params"),
    [
        ({"properties": {"a": {"pattern": "^(a+)+$"}}}, {"a": "a" * 40_000 + "!"}),
        ({"patternProperties": {"^(a+)+$": True}}, {"a" * 40_000 + "!": 1}),
        (
            {"patternProperties": {"^(a+)+$": True}, "additionalProperties": {}},
            {"a" * 40_000 + "!": 1},
        ),
        (
            {"properties": {"a": {"uniqueItems": True}}},
            {"a": [{"x": i, "y": [1]} for i in range(20_000)]},
        ),
        (doubling(40), {}),
        ({"$ref": "#"}, {}),
        ({"properties": {"a": {"allOf": [{"$ref": "#/properties/a"}]}}}, {"a": 1}),
        (
            {"properties": {"a": {"items": {"enum": list(range(9_000))}}}},
            {"a": list(range(9_000, 40_000))},
        ),
    ],
    ids=["pattern", "name", "extra", "unique", "doubling", "loop", "inner_loop", "enum"],
)
def test_no_schema_keeps_the_server_busy(schema: dict[str, Any], params: dict[str, Any]) -> None:
    begun = time.process_time()

    problems_of(schema, params)

    assert time.process_time() - begun < 5


def test_what_costs_too_much_is_told() -> None:
    assert told(doubling(40), {}) == [("params_too_costly", "params")]
    assert told({"$ref": "#"}, {}) == [("params_too_costly", "params")]


@pytest.mark.parametrize(
    ("schema", "params", "problem"),
    [
        ({"required": ["a", "it's"]}, {"a": 1}, ("missing_param", "params.it's")),
        ({"required": ["a", "b"]}, {"b": 1}, ("missing_param", "params.a")),
        ({"additionalProperties": False}, {"x": 1}, ("param_additionalProperties", "params.x")),
        (
            {"patternProperties": {"^x_": {"type": "integer"}}},
            {"x_1": "no"},
            ("param_type", "params.x_1"),
        ),
        (
            {"patternProperties": {"^x_": {}}, "additionalProperties": {"type": "integer"}},
            {"x_1": "fine", "y": "no"},
            ("param_type", "params.y"),
        ),
        ({"properties": {"a": False}}, {"a": 1}, ("param_false", "params")),
        ({"properties": {"a": {"pattern": "^x$"}}}, {"a": "x\n"}, ("param_pattern", "params.a")),
        (
            {"properties": {"a": {"uniqueItems": True}}},
            {"a": [1, 2, 1.0]},
            ("param_uniqueItems", "params.a[2]"),
        ),
        (
            {"properties": {"a": {"uniqueItems": True}}},
            {"a": [{"x": 1, "y": 2}, {"y": 2, "x": 1}]},
            ("param_uniqueItems", "params.a[1]"),
        ),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, {"a": 1}, ("param_$ref", "params")),
        ({"properties": {"a": {"pattern": "(?=a)"}}}, {"a": "a"}, ("param_pattern", "params")),
        (
            {"properties": {"a": {"$ref": "http://127.0.0.1:1/x"}}},
            {"a": 1},
            ("param_$ref", "params"),
        ),
    ],
)
def test_each_problem_has_its_place(
    schema: dict[str, Any], params: dict[str, Any], problem: tuple[str, str]
) -> None:
    assert told(schema, params) == [problem]


def test_true_is_no_one_and_false_no_zero() -> None:
    assert told({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, True, 0, False]}) == []


def test_a_tree_may_refer_to_itself() -> None:
    tree: dict[str, Any] = {"properties": {"children": {"items": {"$ref": "#"}}}}
    leaf: dict[str, Any] = {}
    for _ in range(40):
        leaf = {"children": [leaf]}

    assert told(tree, leaf) == []
    assert told(tree, {"children": [{"children": 1}]}) == []
    tree["properties"]["children"]["type"] = "array"
    assert told(tree, {"children": [{"children": 1}]}) == [
        ("param_type", "params.children[0].children")
    ]


def test_a_thousand_problems_are_not_all_told() -> None:
    schema = {"properties": {"a": {"items": {"type": "integer"}}}}

    assert len(problems_of(schema, {"a": ["x"] * 1000})) == MAX_PROBLEMS
