"""D6: expressions are checked at publish, to the character."""

from __future__ import annotations

import pytest

from tests.unit.graph.support import compiled, faults, flow, node_of, plan_of, warnings

PARAMS = """
params:
  type: object
  required: [id]
  properties:
    id: {type: integer}
    express: {type: boolean, default: false}
    note: {type: string}
    customer: {type: object, required: [name], properties: {name: {type: string}}}
    extra: {type: object}
"""


def fault_of(expression: str, nodes: str = "", needs: str = "[a]") -> list[str]:
    """Codes of the faults of an expression in node ``x`` behind ``a`` (and more nodes)."""
    text = f"""
a: {{type: transform}}
z: {{type: transform}}
{nodes}
x:
  type: transform
  needs: {needs}
  with:
    output: >-
      {{{{ {expression} }}}}
"""
    return [code for code, _ in faults(flow(text, PARAMS), variables={"url", "secrets.key"})]


@pytest.mark.parametrize(
    "expression",
    [
        "params.id + 1",
        "params.customer.name",
        "params.extra.whatever",
        "params['express']",
        "vars.url",
        "secrets.key",
        "run.id + run.workflow + string(run.version)",
        "nodes.a.output.deep[0].er",
        "nodes['a'].output",
        "nodes.a.state",
        "[1, 2].map(params, params + 1)",
        "[1].map(x, nodes.a.output.exists(y, y == x))",
        "nodes.a.output[params.id]",
    ],
)
def test_what_is_there_may_be_read(expression: str) -> None:
    assert fault_of(expression) == []


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("param.id", "unknown_reference"),
        ("a.output", "unknown_reference"),
        ("item", "unknown_reference"),
        ("params.idd", "unknown_reference"),
        ("params.customer.nam", "unknown_reference"),
        ("vars.uri", "unknown_reference"),
        ("vars[params.id]", "unknown_reference"),
        ("secrets.other", "unknown_reference"),
        ("connections.shop", "unknown_reference"),
        ("run.idd", "unknown_reference"),
        ("nodes.nobody.output", "unknown_reference"),
        ("nodes.a.outputs", "unknown_reference"),
        ("nodes.a", "unknown_reference"),
        ("nodes[params.note].output", "unknown_reference"),
        ("size(nodes)", "unknown_reference"),
        ("nodes.z.output", "not_an_ancestor"),
        ("nodes.x.output", "not_an_ancestor"),
        ("has(nodes.z.output)", "not_an_ancestor"),
        ("[1].map(y, nodes.z.output)", "not_an_ancestor"),
        ("nodes.a.output[nodes.z.output]", "not_an_ancestor"),
        ("nodes.a.error", "possibly_absent"),
        ("1 +", "expression_syntax"),
    ],
)
def test_what_is_not_there_is_refused(expression: str, code: str) -> None:
    assert fault_of(expression) == [code]


def test_a_fault_is_placed_to_the_character() -> None:
    source = """\
workflow: t.t
nodes:
  a:
    type: transform
    when: "params.x > 0"
    with:
      output: "Hello {{ vars.name }} and {{ nodes.b.output + nodes.c.output }}"
      more: {x: "{{ 1 + }}"}
  c: {type: transform}
"""
    found = compiled(source.replace("      more", "  #   more")).problems
    assert [(p.code, p.line, p.column) for p in found] == [
        ("unknown_reference", 5, 12),
        ("unknown_reference", 7, 45),
        ("not_an_ancestor", 7, 62),
    ]
    (syntax,) = [p for p in compiled(source).problems if p.code == "expression_syntax"]
    assert (syntax.path, syntax.line, syntax.column) == ("nodes.a.with.more.x", 8, 24)


def test_hints_say_what_to_write() -> None:
    def hint(expression: str) -> str:
        document = flow({"a": {"type": "transform", "with": {"output": f"{{{{ {expression} }}}}"}},
                         "b": {"type": "transform"}}, PARAMS)  # fmt: skip
        return compiled(document, {"shop_url"}).problems[0].hint

    assert "'id'" in hint("params.idd")
    assert "'shop_url'" in hint("vars.shop_uri")
    assert "nodes.b.output" in hint("b.output")
    assert "needs" in hint("nodes.b.output")
    assert "default(params.note" in hint("params.note")


def test_params_that_may_be_left_out_are_warned_of() -> None:
    def found(expression: str) -> list[str]:
        text = {"a": {"type": "transform", "with": {"output": f"{{{{ {expression} }}}}"}}}
        return [code for code, _ in warnings(flow(text, PARAMS))]

    assert found("params.note") == ["possibly_absent"]
    assert found("params.customer.name") == ["possibly_absent"]
    assert found("default(params.note, '')") == []
    assert found("has(params.note) && params.note == 'x'") == []
    assert found("params.express") == []


def test_params_of_an_open_schema_are_not_judged() -> None:
    head = "params: {type: object, additionalProperties: true}"
    assert faults(flow("a: {type: transform, with: {output: '{{ params.any }}'}}", head)) == []
    ((code, _),) = faults(flow("a: {type: transform, with: {output: '{{ params.any }}'}}"))
    assert code == "unknown_reference"


# --- what is certain to be there ---

SPLIT = """
b: {type: transform, needs: [a], when: "{{ nodes.a.output.b }}"}
c: {type: transform, needs: [a]}
"""


@pytest.mark.parametrize(
    ("join", "expression", "fine"),
    [
        ("all_success", "nodes.b.output", True),
        ("none_failed", "nodes.b.output", False),
        ("none_failed", "nodes.a.output", True),
        ("any_success", "nodes.c.output", False),
        ("any_success", "nodes.a.output", True),
        ("all_done", "nodes.a.output", False),
        ("any_failed", "nodes.a.output", False),
        ("none_skipped", "nodes.b.output", False),
        ("all_done", "nodes.b.state", True),
        ("all_done", "has(nodes.b.output)", True),
        ("all_done", "default(nodes.b.output, 1)", True),
        ("all_done", "default(nodes.b.output.x.y, nodes.c.output)", False),
        ("all_done", "has(nodes.b.output) && nodes.b.output > 1", True),
        ("all_done", "nodes.b.output > 1 && has(nodes.b.output)", False),
        ("all_done", "has(nodes.b.output.x) ? nodes.b.output.y : 1", True),
        ("all_done", "has(nodes.b.output) ? 1 : nodes.b.output", False),
        ("all_done", "!has(nodes.b.output) ? 1 : nodes.b.output", True),
        ("all_done", "!has(nodes.b.output) || nodes.b.output == 1", True),
        ("all_done", "has(nodes.b.output) || nodes.b.output == 1", False),
        ("all_done", "has(nodes.b.output) && has(nodes.c.output) ? nodes.c.output : 0", True),
        ("all_done", "has(nodes.b.output) || has(nodes.c.output) ? nodes.c.output : 0", False),
        ("all_done", "nodes.b.state == 'succeeded' ? nodes.b.output : 0", True),
        ("all_done", "nodes.b.state != 'succeeded' ? 0 : nodes.b.output", True),
        ("all_done", "nodes.b.state == 'skipped' ? 0 : nodes.b.output", False),
        ("all_done", "nodes.b.state == 'failed' ? nodes.b.error : null", True),
        ("all_done", "[1].map(i, has(nodes.b.output) ? nodes.b.output : i)", True),
        ("none_failed", "nodes.c.output", True),
        ("any_success", "!has(nodes.c.output) ? nodes.b.output : nodes.c.output", True),
        ("all_done", "has(nodes.b.output) ? nodes.b.output : nodes.c.output", False),
    ],
)
def test_an_ancestor_that_may_be_absent_needs_a_guard(
    join: str, expression: str, fine: bool
) -> None:
    found = fault_of(expression, SPLIT, f"[b, c]\n  join: {join}")
    assert found == ([] if fine else ["possibly_absent"])


def test_all_needs_of_none_failed_may_have_been_skipped() -> None:
    split = """
b: {type: transform, needs: [a], when: "{{ nodes.a.output.b }}"}
c: {type: transform, needs: [a], when: "{{ !nodes.a.output.b }}"}
"""
    last = "has(nodes.b.output) ? nodes.b.output : nodes.c.output"
    assert fault_of(last, split, "[b, c]\n  join: none_failed") == ["possibly_absent"]
    assert fault_of(last, split, "[b, c]\n  join: any_success") == []


def test_what_lies_above_a_skipped_approval_is_sure() -> None:
    # Given an approval that is asked for large orders only, and a step between it and the order,
    split = """
pay: {type: transform, needs: [a]}
approve: {type: transform, needs: [pay], when: "{{ nodes.a.output.total > 1000 }}"}
note: {type: transform, needs: [approve]}
"""
    # Then shipping, which goes on without it, reads the order and the payment, but no approval.
    for name, found in (("a", []), ("pay", []), ("approve", ["possibly_absent"])):
        expression = f"nodes.{name}.output"
        assert fault_of(expression, split, "[note]\n  join: none_failed") == found


def test_a_condition_guards_the_rest_of_the_node_and_what_follows() -> None:
    assert faults(flow("""
    a: {type: transform}
    b:
      type: transform
      needs: [a]
      join: all_done
      when: "has(nodes.a.output)"
      with: {output: "{{ nodes.a.output }}"}
    c: {type: transform, needs: [b], with: {output: "{{ nodes.a.output }}"}}
    """)) == []  # fmt: skip


def test_the_output_of_a_run_is_warned_of_what_may_be_absent() -> None:
    nodes = """
    a: {type: transform}
    b: {type: transform, needs: [a], when: "{{ nodes.a.output > 1 }}"}
    c: {type: transform, needs: [a, b], join: all_done}
    """

    def found(expression: str) -> list[tuple[str, str]]:
        found = warnings(flow(nodes, f'output: "{{{{ {expression} }}}}"'))
        return [(code, path) for code, path in found if code != "dead_end_node"]

    assert found("nodes.c.output") == []
    assert found("nodes.b.output") == [("possibly_absent", "output")]
    # A failure of ``a`` is accepted by ``c``: the run may well succeed without it.
    assert found("nodes.a.output") == [("possibly_absent", "output")]
    assert found("default(nodes.b.output, 0)") == []
    assert faults(flow(nodes, 'output: "{{ nodes.d.output }}"')) == [
        ("unknown_reference", "output")
    ]


def test_what_a_failed_run_lacks_is_no_matter_to_its_output() -> None:
    nodes = "a: {type: transform}\nb: {type: transform, needs: [a]}"
    assert warnings(flow(nodes, 'output: ["{{ nodes.a.output }}", "{{ nodes.b.output }}"]')) == []


def test_item_and_index_exist_only_in_the_body_of_a_map() -> None:
    document = flow("""
    a:
      type: map
      with:
        over: "{{ item }}"
        do: {type: transform, with: {output: "{{ item.x + index + itm }}"}}
    """)
    assert faults(document) == [
        ("unknown_reference", "nodes.a.with.over"),
        ("unknown_reference", "nodes.a.with.do.with.output"),
    ]


def test_faulty_edges_raise_no_false_alarms_about_ancestors() -> None:
    document = flow("""
    a: {type: transform, needs: [typo]}
    b: {type: transform, needs: [a], with: {output: "{{ nodes.c.output + nodes.gone.output }}"}}
    c: {type: transform, needs: [d], with: {output: "{{ nodes.a.output }}"}}
    d: {type: transform, needs: [c]}
    """)
    assert faults(document) == [
        ("unknown_need", "nodes.a.needs[0]"),
        ("cyclic_dependency", "nodes.c.needs[0]"),
        ("unknown_reference", "nodes.b.with.output"),
    ]


def test_the_plan_notes_what_each_node_reads() -> None:
    document = flow("""
    a: {type: transform, with: {output: "{{ params.id }}"}}
    b: {type: transform, needs: [a]}
    c:
      type: transform
      needs: [b]
      when: "nodes.a.output > 1"
      with: {output: ["{{ nodes.b.output }}", "{{ vars.x }}"]}
    d: {type: transform, with: {output: "{{ run.started_at }}"}}
    e: {type: transform, with: {output: "{{ run.id }}"}}
    """, PARAMS)  # fmt: skip
    plan = plan_of(document)
    nodes = plan.by_name()
    assert (nodes["d"].uses_start, nodes["e"].uses_start) == (True, False)
    c = nodes["c"]
    assert c.refs == (nodes["a"].index, nodes["b"].index)
    assert (c.uses_params, c.uses_vars, nodes["a"].uses_params) == (False, True, True)
    assert (nodes["b"].refs, nodes["b"].uses_vars) == ((), False)
    assert c.when == "{{ nodes.a.output > 1 }}"


def test_a_condition_may_be_bare_or_a_template() -> None:
    for text in ("params.id > 1", "{{ params.id > 1 }}"):
        nodes = {"a": {"type": "transform", "when": text}}
        assert node_of(flow(nodes, PARAMS), "a").when == "{{ params.id > 1 }}"
    assert faults(flow({"a": {"type": "transform", "when": "x {{ true }}"}})) == [
        ("expression_syntax", "nodes.a.when")
    ]
