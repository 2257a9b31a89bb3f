"""D1, D12: a workflow written in Python is the same document as its YAML twin."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from celesta.graph import documents
from celesta.graph.dsl import (
    Workflow,
    body,
    call,
    cel,
    choose,
    contains,
    default,
    has,
    item,
    params,
    variables,
)
from celesta.graph.expressions import evaluate
from tests.unit.graph.support import compiled

TWIN = """
workflow: orders.fulfil
title: Fulfil an order
params:
  type: object
  required: [order_id]
  properties: {order_id: {type: integer}}
defaults: {retry: {attempts: 3, backoff: 1s}}
timeout: 1d
nodes:
  fetch:
    type: http
    with: {url: "{{ vars.shop_url }}/orders/{{ params.order_id }}"}
  lines:
    type: map
    needs: [fetch]
    with:
      over: "{{ nodes.fetch.output.body.lines }}"
      do: {type: python, queue: many, with: {function: shop.reserve, args: {line: "{{ item }}"}}}
  route:
    type: branch
    needs: [lines]
    with: {cases: {large: "{{ (nodes.fetch.output.body.total > 1000) }}"}, default: small}
  approve:
    type: approval
    needs: [route.large]
    timeout: 2d
    with: {title: Large order}
  ship:
    type: python
    needs: [approve]
    join: none_failed
    when: "{{ (has(nodes.fetch.output.body) && (nodes.fetch.output.body[\\"kind\\"] != null)) }}"
    with: {function: SHIP, args: {order: "{{ nodes.fetch.output.body }}"}}
  unship:
    type: transform
    compensates: ship
output: "{{ default(nodes.ship.output.id, 0) }}"
""".replace("SHIP", f"{__name__}.ship")


def built() -> Workflow:
    flow = Workflow(
        "orders.fulfil",
        title="Fulfil an order",
        params={
            "type": "object",
            "required": ["order_id"],
            "properties": {"order_id": {"type": "integer"}},
        },
        defaults={"retry": {"attempts": 3, "backoff": timedelta(seconds=1)}},
        timeout=timedelta(days=1),
    )
    fetch = flow.node("fetch", "http", url=f"{variables.shop_url}/orders/{params.order_id}")
    order = fetch.output.body
    reserve = body(
        "python", settings={"queue": "many"}, function="shop.reserve", args={"line": item}
    )
    lines = flow.node("lines", "map", needs=[fetch], over=order.lines, do=reserve)
    cases = {"large": order.total > 1000}
    route = flow.node("route", "branch", needs=[lines], cases=cases, default="small")
    settings = {"timeout": timedelta(days=2)}
    approve = flow.node(
        "approve", "approval", needs=[route.case("large")], settings=settings, title="Large order"
    )

    @flow.step(
        needs=[approve],
        when=has(order) & (order["kind"] != None),  # noqa: E711 (recorded, not compared)
        settings={"join": "none_failed"},
        args={"order": order},
    )
    def ship(order: dict[str, Any]) -> dict[str, Any]:
        return order

    flow.node("unship", "transform", settings={"compensates": ship})
    flow.output = default(ship.output.id, 0)
    return flow


def test_the_dsl_builds_the_document_of_its_yaml_twin() -> None:
    assert built().document() == documents.load(TWIN).data
    assert list(built().document()) == ["workflow", "title", "params", "defaults", "timeout",
                                        "nodes", "output"]  # fmt: skip


def test_a_workflow_made_four_ways_has_one_checksum() -> None:
    data = documents.load(TWIN).data
    ways: list[Any] = [
        TWIN,
        json.dumps(data),
        dict(reversed(data.items())),
        built().document(),
        built().yaml(),
    ]
    results = [compiled(way) for way in ways]
    assert [result.problems for result in results if result.plan is None] == []
    assert len({result.checksum for result in results}) == 1
    assert len({json.dumps(r.plan.to_json()) for r in results if r.plan}) == 1


def test_operators_are_recorded_as_cel() -> None:
    a, scope = params.a, {"params": {"a": 5, "s": 'say "é"'}}
    recorded = [a > 4, a >= 5, a < 6, a <= 5, a == 5, a != 4, (a > 9) | (a < 6), ~(a == 4)]
    assert [evaluate(str(expression), scope) for expression in recorded] == [True] * 8
    assert evaluate(str(params.s == 'say "é"'), scope) is True
    assert evaluate(str((a == True) & (a == None)), scope) is False  # noqa: E711, E712


def test_arithmetic_calls_and_choices_are_recorded_as_cel() -> None:
    a, rows = params.a, params.rows
    scope = {"params": {"a": 7, "rows": [3, 1, 2], "name": "tea", "i": 1}}
    recorded: list[tuple[Any, Any]] = [
        (a + 1, 8), (1 + a, 8), (a - 2, 5), (10 - a, 3), (a * 3, 21), (3 * a, 21), (a / 2, 3),
        (15 / a, 2), (a % 4, 3), (-a, -7), ((a + 1) * 2, 16),
        (rows.size(), 3), (rows.sort()[0], 1), (rows[params.i], 1), (call("sum", rows), 6),
        (call("math.abs", -a), 7), (params.name.startsWith("te"), True),
        (contains(rows, 2), True), (contains([1, 2], a), False), (contains({"x": 1}, "x"), True),
        (choose(a > 5, "large", "small"), "large"),
        (cel("params.rows.filter(r, r > 1).map(r, r * 10)"), [30, 20]),
    ]  # fmt: skip
    for expression, value in recorded:
        assert evaluate(str(expression), scope) == value, expression


def test_what_cannot_be_recorded_is_refused() -> None:
    with pytest.raises(TypeError, match="no value yet"):
        bool(params.a > 1)
    with pytest.raises(TypeError, match="cannot stand"):
        params.a == object()  # noqa: B015
    with pytest.raises(TypeError, match="write contains"):
        1 in params.rows  # noqa: B015
    with pytest.raises(TypeError, match="no items yet"):
        list(params.rows)
    flow = Workflow("a")
    flow.node("x", "transform")
    with pytest.raises(ValueError, match="already"):
        flow.node("x", "transform")
