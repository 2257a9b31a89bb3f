"""T1, T2: templates keep types when whole, are rendered inside text, and never fail in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celesta.graph import templates
from celesta.graph.cel.syntax import CelSyntaxError
from celesta.graph.expressions import ExpressionError, condition, evaluate, resolve

SCOPE: dict[str, Any] = {
    "params": {"id": 7, "name": "tea", "tags": ["a", "b"], "nil": None, "price": 1.50, "ok": True},
    "nodes": {
        "good": {"state": "succeeded", "output": {"total": 12}, "error": None},
        "bad": {"state": "failed", "output": None, "error": {"message": "boom"}},
        "idle": {"state": "skipped", "output": None, "error": None},
        "empty": {"state": "succeeded", "output": None, "error": None},
    },
    "vars": {},
}


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ params.id }}", 7),
        ("  {{ params.tags }}\n", ["a", "b"]),
        ("{{ params.nil }}", None),
        ("{{params.ok}}", True),
        ("{{ {'a': {'b': params.id}} }}", {"a": {"b": 7}}),
        ("{{ '}}' }}", "}}"),
        ("{{ nodes.good.output }}", {"total": 12}),
    ],
)
def test_a_whole_template_keeps_the_type(template: str, value: Any) -> None:
    found = resolve(template, SCOPE)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Order {{ params.id }} of {{ params.name }}", "Order 7 of tea"),
        ("{{ params.id }}{{ params.id }}", "77"),
        ("{{ params.ok }}/{{ params.price }}", "true/1.5"),
        ("tags={{ params.tags }}", 'tags=["a","b"]'),
        ("{{ nodes.good.output }}!", '{"total":12}!'),
        (r"\{{ params.id }}", "{{ params.id }}"),
        (r"\{{ {{ params.id }} }}", "{{ 7 }}"),
        (r"C:\\{{ params.name }}", "C:\\tea"),
        (r"a\b {{ '{{' }}", r"a\b {{"),
        ("no template } } {", "no template } } {"),
    ],
)
def test_inside_a_text_values_are_rendered(template: str, text: str) -> None:
    assert resolve(template, SCOPE) == text


def test_templates_are_resolved_at_every_depth_and_keys_stay() -> None:
    value = {"a": [{"{{ b }}": "{{ params.id }}"}, 5, None], "c": {"d": "x{{ params.name }}"}}
    assert resolve(value, SCOPE) == {"a": [{"{{ b }}": 7}, 5, None], "c": {"d": "xtea"}}
    assert value["a"][0] == {"{{ b }}": "{{ params.id }}"}  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        ({"url": "{{ params.nobody }}"}, "unresolved_reference", "with.url"),
        ({"a": [1, {"b.c": "x {{ vars.z }}"}]}, "unresolved_reference", 'with.a[1]["b.c"]'),
        ({"a": "{{ nodes.idle.output }}"}, "unresolved_reference", "with.a"),
        ({"a": "{{ nodes.bad.output }}"}, "unresolved_reference", "with.a"),
        ({"a": "{{ nodes.good.error }}"}, "unresolved_reference", "with.a"),
        ({"a": "{{ nodes.gone.state }}"}, "unresolved_reference", "with.a"),
        ({"a": "{{ params.id + 'x' }}"}, "expression_type", "with.a"),
        ({"a": "n = {{ params.nil }}"}, "null_in_text", "with.a"),
        ({"a": "{{ params.id"}, "expression_syntax", "with.a"),
        ({"a": "{{ 1 + }}"}, "expression_syntax", "with.a"),
    ],
)
def test_what_cannot_be_resolved_fails_with_its_path(value: Any, code: str, path: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        resolve(value, SCOPE)
    assert (caught.value.code, caught.value.path) == (code, path)
    assert str(caught.value).startswith(path)


def test_what_a_node_does_not_have_is_absent() -> None:
    has = {
        name: [evaluate(f"has(nodes.{name}.{member})", SCOPE) for member in ("output", "error")]
        for name in ("good", "bad", "idle", "empty")
    }
    assert has == {
        "good": [True, False],
        "bad": [False, True],
        "idle": [False, False],
        "empty": [True, False],
    }
    assert evaluate("default(nodes.idle.output.total, 0)", SCOPE) == 0
    assert evaluate("nodes.bad.error.message + nodes.idle.state", SCOPE) == "boomskipped"


@pytest.mark.parametrize("text", ["params.id > 5", "{{ params.id > 5 }}", " {{ params.ok }} "])
def test_a_condition_is_bare_or_one_whole_template(text: str) -> None:
    assert condition(text, SCOPE) is True


@pytest.mark.parametrize("text", ["params.id", "{{ params.name }}", "params.nil", "[true]"])
def test_a_condition_gives_true_or_false_and_nothing_else(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        condition(text, SCOPE)
    assert (caught.value.code, caught.value.path) == ("when_not_bool", "when")


def test_a_condition_with_text_around_it_is_refused() -> None:
    with pytest.raises(ExpressionError) as caught:
        condition("{{ params.ok }} && true", SCOPE)
    assert caught.value.code == "expression_syntax"


class Lazy(Mapping[str, Any]):
    """A scope that notes what is asked of it."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.asked: list[str] = []

    def __getitem__(self, key: str) -> Any:
        self.asked.append(key)
        return self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)


def test_only_what_an_expression_names_is_taken_from_the_scope() -> None:
    nodes = Lazy(SCOPE["nodes"])
    scope = Lazy({"nodes": nodes, "params": {}})
    assert evaluate("nodes.good.output.total + 1", scope) == 13
    assert (scope.asked, nodes.asked) == (["nodes"], ["good"])


def test_all_expressions_of_a_node_share_one_budget() -> None:
    costly = "{{ l.map(x, x + 1) }}"
    scope = {"l": list(range(100_000))}
    assert len(resolve([costly], scope)[0]) == 100_000
    with pytest.raises(ExpressionError) as caught:
        resolve([costly] * 20, scope)
    assert caught.value.code == "expression_too_costly"


@given(st.text("{}\\ 'a"))
def test_a_text_is_cut_without_loss_or_refused(text: str) -> None:
    try:
        parts = templates.parse(text).parts
    except CelSyntaxError:
        assert "{{" in text
        return
    if "{{" not in text:
        assert parts == ((text,) if text else ())
    for part in parts:
        if isinstance(part, templates.Hole):
            assert text[part.offset :].startswith(part.source)


@given(st.text())
def test_every_text_can_be_escaped(text: str) -> None:
    escaped = text.replace("\\{{", "\\\\\\{{") if "\\{{" in text else text.replace("{{", "\\{{")
    if "\\\\{{" not in text and "{{{" not in text:
        assert resolve(escaped, {}) == text
