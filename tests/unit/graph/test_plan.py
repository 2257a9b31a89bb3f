"""What a document is compiled to: gates, numbers, settings, map bodies, compensations, ``end``."""

from __future__ import annotations

import json

from celesta.graph.plan import NONE, Plan, Retry
from tests.unit.graph.support import faults, flow, node_of, plan_of

FAN = flow("""
a: {type: transform}
b: {type: transform}
c: {type: transform, needs: [a, b]}
d: {type: transform, needs: [b, a]}
e: {type: transform, needs: [a, b], join: all_done}
f: {type: transform, needs: [c]}
""")


def test_nodes_that_wait_for_the_same_share_a_gate() -> None:
    plan = plan_of(FAN)
    nodes = plan.by_name()
    assert nodes["a"].gate == NONE
    assert nodes["c"].gate == nodes["d"].gate != nodes["e"].gate
    gate = plan.gates[nodes["c"].gate]
    assert gate.upstreams == (nodes["a"].index, nodes["b"].index)
    assert set(gate.nodes) == {nodes["c"].index, nodes["d"].index}
    assert nodes["a"].feeds == (nodes["c"].gate, nodes["e"].gate)


def test_every_node_comes_after_what_it_waits_for_and_end_is_last() -> None:
    plan = plan_of(FAN)
    assert [node.index for node in plan.nodes] == list(range(len(plan.nodes)))
    for gate in plan.gates:
        assert max(gate.upstreams) < min(gate.nodes)
    last = plan.gates[plan.end.gate]
    names = {plan.nodes[index].name for index in last.upstreams}
    assert (plan.end.name, plan.end.type, last.rule) == ("end", "end", "all_done")
    assert names == {"d", "e", "f"}


def test_end_has_no_work_without_an_output() -> None:
    nodes = "a: {type: transform}"
    assert plan_of(flow(nodes)).end.auto
    end = plan_of(flow(nodes, "output: {x: '{{ nodes.a.output }}'}")).end
    assert (end.auto, end.config, end.refs) == (
        False,
        {"output": {"x": "{{ nodes.a.output }}"}},
        (0,),
    )
    assert not plan_of(flow(nodes, "output: false")).end.auto


def test_end_waits_for_nodes_that_an_early_rule_may_overtake() -> None:
    plan = plan_of(
        flow("""
    slow: {type: transform}
    fast: {type: transform}
    first: {type: transform, needs: [slow, fast], join: any_success}
    """)
    )
    upstreams = {plan.nodes[i].name for i in plan.gates[plan.end.gate].upstreams}
    assert upstreams == {"slow", "fast", "first"}


def test_a_failure_is_handled_when_some_child_accepts_it() -> None:
    plan = plan_of(
        flow("""
    a: {type: transform}
    b: {type: transform, needs: [a]}
    undo: {type: transform, needs: [a], join: any_failed}
    c: {type: transform}
    d: {type: transform, needs: [c], join: none_failed}
    """)
    )
    handled = {node.name for node in plan.nodes if node.handled}
    assert handled == {"a"}


def test_alternatives_that_all_failed_fail_the_run() -> None:
    nodes = """
    one: {type: transform}
    two: {type: transform}
    first: {type: transform, needs: [one, two], join: any_success}
    """
    assert node_of(flow(nodes), "first").last_resort
    accepted = nodes.rstrip() + "\n    after: {type: transform, needs: [first], join: all_done}"
    assert not node_of(flow(accepted), "first").last_resort


SETTINGS = """
plain: {type: transform}
own:
  type: transform
  queue: payments
  priority: 0
  timeout: 5m
  retry: {attempts: 7}
ask: {type: approval, with: {title: Ok?}}
hurry: {type: approval, timeout: 1h, with: {title: Ok?}}
"""
HEAD = "defaults: {queue: main, timeout: 60s, priority: 9, retry: {attempts: 3, backoff: 2s}}"


def test_defaults_apply_where_a_node_says_nothing() -> None:
    nodes = plan_of(flow(SETTINGS, HEAD)).by_name()
    plain, own = nodes["plain"], nodes["own"]
    assert (plain.queue, plain.priority, plain.timeout) == ("main", 9, 60.0)
    assert plain.retry == Retry(attempts=3, backoff=2.0)
    assert (own.queue, own.priority, own.timeout) == ("payments", 0, 300.0)
    assert own.retry == Retry(attempts=7, backoff=2.0)


def test_default_timeouts_are_not_for_types_that_wait() -> None:
    nodes = plan_of(flow(SETTINGS, HEAD)).by_name()
    assert nodes["ask"].timeout is None
    assert nodes["hurry"].timeout == 3600.0


def test_without_defaults_a_node_is_tried_once_without_deadline() -> None:
    node = node_of(flow("a: {type: transform}"), "a")
    assert (node.queue, node.timeout, node.retry.attempts) == ("default", None, 1)


def test_defaults_of_the_type_are_kept_in_the_plan() -> None:
    node = node_of(flow("a: {type: http, with: {url: x, size: 3}}"), "a")
    assert node.config == {"url": "x", "method": "GET", "retries_on": [502, 503], "size": 3}


MAP = """
list: {type: transform}
lines:
  type: map
  needs: [list]
  queue: many
  timeout: 1h
  retry: {attempts: 5}
  with:
    over: "{{ nodes.list.output }}"
    do:
      type: python
      timeout: 5s
      with: {function: shop.reserve, args: {l: "{{ item }}", n: "{{ index }}", p: "{{ vars.p }}"}}
"""


def test_a_maps_body_is_a_node_of_its_own() -> None:
    plan = plan_of(flow(MAP, "defaults: {timeout: 60s}"))
    nodes = plan.by_name()
    lines, body = nodes["lines"], nodes["lines.do"]
    assert (lines.body, body.body_of) == (body.index, lines.index)
    assert (body.gate, body.feeds) == (NONE, ())
    assert body.index == plan.end.index - 1
    assert (body.type, body.queue, body.timeout) == ("python", "many", 5.0)
    assert (body.uses_vars, lines.uses_vars) == (True, False)
    # The items are retried, each by itself; the map as a whole is not.
    assert (body.retry.attempts, lines.retry.attempts, lines.timeout) == (5, 1, 3600.0)
    assert lines.refs == (nodes["list"].index,)


def test_the_body_of_a_map_is_checked_like_a_node() -> None:
    assert faults(flow("""
    a:
      type: map
      with: {over: [1], do: {type: pyton, needs: [b], with: {}}}
    b:
      type: map
      with: {over: [1], do: {type: map, with: {over: [1], do: {type: transform}}}}
    c: {type: map, with: {over: [1], do: {type: http, with: {ulr: x}}}}
    d: {type: map, with: {over: [1]}}
    e: {type: map, with: {over: [1], do: {with: {}}}}
    """)) == [
        ("unknown_field", "nodes.a.with.do.needs"),
        ("invalid_config", "nodes.b.with.do.type"),
        ("missing_field", "nodes.e.with.do.type"),
        ("missing_field", "nodes.d.with.do"),
        ("unknown_node_type", "nodes.a.with.do.type"),
        ("missing_field", "nodes.c.with.do.with.url"),
        ("unknown_field", "nodes.c.with.do.with.ulr"),
    ]  # fmt: skip


PAY = """
pay: {type: transform}
ship: {type: transform, needs: [pay]}
undo_pay: {type: transform, compensates: pay, with: {output: "{{ nodes.pay.output.id }}"}}
"""


def test_a_compensation_is_in_the_plan_but_not_in_the_forward_pass() -> None:
    plan = plan_of(flow(PAY))
    undo = plan.by_name()["undo_pay"]
    assert (undo.compensates, undo.gate, undo.feeds) == (plan.by_name()["pay"].index, NONE, ())
    assert undo.refs == (plan.by_name()["pay"].index,)
    assert plan.gates[plan.end.gate].upstreams == (plan.by_name()["ship"].index,)


def test_compensations_are_checked() -> None:
    assert faults(flow("""
    pay: {type: transform}
    ship: {type: transform, needs: [undo, pay]}
    undo: {type: transform, compensates: pay, needs: [ship]}
    again: {type: transform, compensates: pay, with: {output: "{{ nodes.ship.output }}"}}
    lost: {type: transform, compensates: nobody}
    twice: {type: transform, compensates: undo}
    many: {type: map, compensates: ship, with: {over: [1], do: {type: transform}}}
    """)) == [
        ("unknown_need", "nodes.ship.needs[0]"),
        ("invalid_compensation", "nodes.undo"),
        ("unknown_node", "nodes.lost.compensates"),
        ("invalid_compensation", "nodes.twice.compensates"),
        ("invalid_compensation", "nodes.many.type"),
        ("invalid_compensation", "nodes.again.compensates"),
        ("not_an_ancestor", "nodes.again.with.output"),
    ]  # fmt: skip


def test_a_workflow_of_compensations_alone_is_empty() -> None:
    assert ("empty_workflow", "nodes") in faults(
        flow("a: {type: transform, compensates: b}\nb: {type: transform, compensates: a}")
    )


def test_a_plan_survives_storage_as_json() -> None:
    for document in (FAN, flow(MAP), flow(PAY, "timeout: 1h")):
        plan = plan_of(document)
        assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
