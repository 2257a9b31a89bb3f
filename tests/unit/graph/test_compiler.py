"""D2, D3, D5: every fault of a document, each with its code and path, all at once."""

from __future__ import annotations

from typing import Any

import pytest

from celesta.graph import documents
from celesta.graph.problems import DocumentInvalid
from tests.unit.graph.support import chain, compiled, faults, flow, plan_of

WRONG = """\
workflow: Orders!
titel: An order
defaults: {retry: {attempts: 0}, timeout: soon}
nodes:
  a: {type: transform, needs: [c]}
  b: {type: transform, needs: [a, a, nobody, b]}
  c: {type: transform, needs: [b], join: al_success}
  2d: {type: htpp, with: {}}
  e: {type: http, with: {method: 5, ulr: x, size: 0}}
  f: {needs: a}
"""


def test_all_problems_come_at_once_with_code_path_and_place() -> None:
    problems = compiled(WRONG).problems
    found = {(p.code, p.path, p.line) for p in problems}
    assert found == {
        ("invalid_name", "workflow", 1),
        ("unknown_field", "titel", 2),
        ("out_of_range", "defaults.retry.attempts", 3),
        ("invalid_duration", "defaults.timeout", 3),
        ("cyclic_dependency", "nodes.a.needs[0]", 5),
        ("duplicate_need", "nodes.b.needs[1]", 6),
        ("unknown_need", "nodes.b.needs[2]", 6),
        ("self_dependency", "nodes.b.needs[3]", 6),
        ("invalid_join", "nodes.c.join", 7),
        ("invalid_name", "nodes.2d", 8),
        ("unknown_node_type", "nodes.2d.type", 8),
        ("invalid_config", "nodes.e.with.method", 9),
        ("unknown_field", "nodes.e.with.ulr", 9),
        ("missing_field", "nodes.e.with.url", 9),
        ("invalid_config", "nodes.e.with.size", 9),
        ("wrong_type", "nodes.f.needs", 10),
        ("missing_field", "nodes.f.type", 10),
    }
    assert all(p.message for p in problems)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("titel", "title"),
        ("nodes.c.join", "all_success"),
        ("nodes.2d.type", "http"),
        ("nodes.e.with.ulr", "url"),
    ],
)
def test_a_slip_of_the_pen_is_answered_with_the_right_word(path: str, hint: str) -> None:
    (problem,) = [p for p in compiled(WRONG).problems if p.path == path]
    assert hint in problem.hint


def test_a_cycle_is_told_with_its_nodes_in_order() -> None:
    nodes = {
        "x": {"type": "transform"},
        "a": {"type": "transform", "needs": ["x", "c"]},
        "b": {"type": "transform", "needs": ["a"]},
        "c": {"type": "transform", "needs": ["b"]},
        "behind": {"type": "transform", "needs": ["c"]},
        "p": {"type": "transform", "needs": ["q"]},
        "q": {"type": "transform", "needs": ["p"]},
    }
    problems = compiled(flow(nodes)).problems
    assert [(p.code, p.path) for p in problems] == [
        ("cyclic_dependency", "nodes.a.needs[1]"),
        ("cyclic_dependency", "nodes.p.needs[0]"),
    ]
    assert "a -> b -> c -> a" in problems[0].message
    assert "p -> q -> p" in problems[1].message


def test_chains_and_cycles_of_ten_thousand_nodes_are_no_trouble() -> None:
    names = [f"n{i}" for i in range(10_000)]
    nodes = chain(*names)
    assert len(plan_of(flow(nodes)).nodes) == 10_001
    nodes["n0"] = {"type": "transform", "needs": ["n9999"]}
    assert faults(flow(nodes)) == [("cyclic_dependency", "nodes.n0.needs[0]")]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"workflow": "a", "nodes": {}}, ("empty_workflow", "nodes")),
        ({"workflow": "a"}, ("missing_field", "nodes")),
        ({"workflow": "a", "nodes": []}, ("wrong_type", "nodes")),
        (flow({"a": None}), ("wrong_type", "nodes.a")),
        (flow({"end": {"type": "transform"}}), ("invalid_name", "nodes.end")),
        (flow({"a-b": {"type": "transform"}}), ("invalid_name", "nodes.a-b")),
        (flow({"é": {"type": "transform"}}), ("invalid_name", 'nodes["\\u00e9"]')),
        (flow({"x" * 101: {"type": "transform"}}), ("too_long", f"nodes.{'x' * 101}")),
        (flow("a: {type: transform, timeout: 0s}"), ("invalid_duration", "nodes.a.timeout")),
        (flow("a: {type: transform, timeout: 60}"), ("invalid_duration", "nodes.a.timeout")),
        (flow("a: {type: transform, priority: 10}"), ("out_of_range", "nodes.a.priority")),
        (flow("a: {type: transform, priority: true}"), ("wrong_type", "nodes.a.priority")),
        (flow("a: {type: transform, queue: 'a b'}"), ("invalid_name", "nodes.a.queue")),
        (flow("a: {type: transform, with: []}"), ("wrong_type", "nodes.a.with")),
        (flow("a: {type: transform, needs: [1]}"), ("wrong_type", "nodes.a.needs[0]")),
        (flow("a: {type: python, with: {function: shop.gone}}"),
         ("unknown_function", "nodes.a.with.function")),
        (flow("a: {type: transform}", "tags: [1]"), ("wrong_type", "tags[0]")),
        (flow("a: {type: transform}", "timeout: 1x"), ("invalid_duration", "timeout")),
    ],
)  # fmt: skip
def test_a_single_fault(source: dict[str, Any], expected: tuple[str, str]) -> None:
    assert faults(source) == [expected]


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        (float("nan"), "not_json", "nodes.a.with.output"),
        ("a\0b", "invalid_text", "nodes.a.with.output"),
        ("\ud800", "invalid_text", "nodes.a.with.output"),
        ({1: 2}, "wrong_type", "nodes.a.with.output"),
        (object(), "not_json", "nodes.a.with.output"),
        (2**64, "not_json", "nodes.a.with.output"),
        ([-(2**63) - 1], "not_json", "nodes.a.with.output[0]"),
        ((1, 2), "not_json", "nodes.a.with.output"),
    ],
)
def test_data_that_is_no_json_is_refused(value: Any, code: str, path: str) -> None:
    assert faults(flow({"a": {"type": "transform", "with": {"output": value}}})) == [(code, path)]


def test_data_that_is_nested_too_deeply_is_refused() -> None:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    ((code, _),) = faults(flow({"a": {"type": "transform", "with": {"output": value}}}))
    assert code == "document_too_deep"


def test_what_is_no_mapping_is_refused_without_an_exception() -> None:
    wrong: list[Any] = [[], None, 5]
    for data in wrong:
        ((code, path),) = faults(data)
        assert (code, path) == ("wrong_type", "")


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "array"}, "params.type"),
        ({"properties": {"a": {"type": "integr"}}}, "params.properties.a.type"),
        ({"required": "a"}, "params.required"),
        ({"properties": {"a": {"pattern": "("}}}, "params.properties.a.pattern"),
        ({"$ref": "http://example.com/x.json"}, 'params["$ref"]'),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, 'params["$schema"]'),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "params.properties.a.pattern"),
        ({"properties": {"a": {"$ref": "#/$defs/b"}}}, 'params.properties.a["$ref"]'),
        ({"$ref": "#"}, 'params["$ref"]'),
        ({"$dynamicRef": "http://example.com/x.json"}, 'params["$dynamicRef"]'),
        ({"unevaluatedProperties": False}, "params.unevaluatedProperties"),
    ],
)
def test_the_params_schema_is_checked(schema: dict[str, Any], path: str) -> None:
    document = {"workflow": "a", "params": schema, "nodes": chain("x")}
    assert faults(document) == [("invalid_schema", path)]


def test_data_and_names_in_a_params_schema_are_not_taken_for_keywords() -> None:
    lookalike = {"$ref": "http://example.com", "pattern": "(", "unevaluatedItems": 1}
    schema = {
        "properties": {
            "unevaluatedItems": {"type": "object", "default": lookalike, "examples": [lookalike]},
            "pattern": {"enum": [lookalike]},
            "letters": {"pattern": r"^\p{L}+$"},
        }
    }
    assert faults({"workflow": "a", "params": schema, "nodes": chain("x")}) == []


def test_a_huge_params_schema_is_refused_before_it_is_checked() -> None:
    schema = {"properties": {f"p{i}": {"type": "wrong"} for i in range(20_000)}}
    assert faults({"workflow": "a", "params": schema, "nodes": chain("x")}) == [
        ("document_too_large", "params")
    ]


def test_a_value_that_comes_from_an_expression_is_not_judged_when_publishing() -> None:
    head = "params: {properties: {n: {type: integer, default: 1}}}"
    assert faults(flow("a: {type: http, with: {url: x, size: '{{ params.n }}'}}", head)) == []
    assert faults(flow("a: {type: http, with: {url: x, size: many}}")) == [
        ("invalid_config", "nodes.a.with.size")
    ]


FULL = """
workflow: orders.fulfil
title: ''
tags: []
params: {}
defaults: {queue: default, retry: null}
nodes:
  a: {type: transform, needs: [], title: '', when: null, with: {output: {x: [], y: null}}}
output: {}
"""


def test_the_checksum_is_that_of_what_the_document_says() -> None:
    bare = {
        "nodes": {"a": {"with": {"output": {"y": None, "x": []}}, "type": "transform"}},
        "defaults": {"queue": "default"},
        "output": {},
        "workflow": "orders.fulfil",
    }
    full = compiled(FULL)
    assert full.document == bare
    assert full.checksum == compiled(bare).checksum
    bare["output"] = None
    assert full.checksum != compiled(bare).checksum


def test_a_normalised_document_compiles_to_the_same_plan() -> None:
    first = compiled(FULL)
    second = compiled(documents.load(documents.dump(first.document)).data)
    assert (first.plan, first.checksum) == (second.plan, second.checksum)


def test_places_of_faults_are_those_of_the_document_not_of_the_model() -> None:
    assert faults(flow("""
    a: {type: limits, with: {rules: [{kind: size, most: 3}, {kind: time, most: x}, {kind: size}]}}
    b: {type: limits, with: {rules: [{kind: colour}]}}
    c: {type: limits, with: {rules: [{kind: size, most: -1}, {kind: size, most: '{{ 1 }}'}]}}
    d: {type: limits, with: {pair: {low: 2, high: 1}}}
    e: {type: limits, with: {pair: {low: 2, high: '{{ 3 }}'}}}
    """)) == [
        ("invalid_config", "nodes.a.with.rules[1].most"),
        ("missing_field", "nodes.a.with.rules[2].most"),
        ("invalid_config", "nodes.b.with.rules[0]"),
        ("invalid_config", "nodes.c.with.rules[0].most"),
        ("invalid_config", "nodes.d.with.pair"),
    ]  # fmt: skip


def test_more_nodes_or_needs_than_the_limits_are_refused() -> None:
    nodes: dict[str, Any] = {f"n{i}": {"type": "transform"} for i in range(20_001)}
    assert faults(flow(nodes)) == [("document_too_large", "nodes")]
    nodes = {"a": {"type": "transform", "needs": ["b"] * 5_001}}
    assert faults(flow(nodes)) == [("too_long", "nodes.a.needs")]


def test_a_refused_document_says_its_first_problem() -> None:
    assert str(DocumentInvalid(compiled(WRONG).problems)).startswith("workflow: ")
    with pytest.raises(DocumentInvalid, match=r"^A document is a mapping"):
        documents.load("[1]")
    first = compiled(WRONG).problems[0]
    assert first.as_dict() == {
        "code": first.code,
        "path": first.path,
        "message": first.message,
        "hint": first.hint,
        "severity": "error",
        "line": first.line,
        "column": first.column,
    }
