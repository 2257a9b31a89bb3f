"""Our expressions against a CEL library: where both give a value, it is the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celesta.graph.expressions import ExpressionError, evaluate
from tests.unit.graph.test_cel import DATA, VALUES

cel = pytest.importorskip("cel", reason="the CEL library is a tool of development only")

SCOPE: dict[str, Any] = {
    "i": 3,
    "d": 1.5,
    "t": True,
    "s": "abc",
    "n": None,
    "l": [1, 2, 3],
    "m": {"a": 1, "b": {"c": "x"}},
}
PATHS = ["i", "d", "t", "s", "n", "l", "m", "m.a", "m.b.c", "m.z", "l[0]", "l[7]"]
LITERALS = ["0", "-1", "2", "1.5", "'a'", "'abc'", "true", "false", "null", "[]", "[2]"]
OTHERS = ["{'a': 1}", "has(m.z)", "has(m.a)", "-(i)", "-(d)"]
ATOMS = st.sampled_from(PATHS + LITERALS + OTHERS)
BINARY = st.sampled_from(
    ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"]
)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, BINARY, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} ? {p[1]} : {p[2]})"),
        inner.map(lambda e: f"!({e})"),
        inner.map(lambda e: f"size({e})"),
        inner.map(lambda e: f"[{e}]"),
        st.tuples(
            st.sampled_from(["map", "filter", "all", "exists", "exists_one"]),
            st.sampled_from(["l", "[1, 2]", "[]", "m"]),
            inner,
        ).map(lambda p: f"{p[1]}.{p[0]}(x, {p[2]} == x)"),
    )


EXPRESSIONS = st.recursive(ATOMS, larger, max_leaves=8)


def theirs(expression: str, scope: dict[str, Any] = SCOPE) -> Any:
    """The library's value, or None where it has none."""
    try:
        return cel.compile(expression).execute(scope)
    except Exception:  # noqa: BLE001 - the library raises a type of its own for each fault
        return None


def ours(expression: str) -> Any:
    try:
        return evaluate(expression, SCOPE)
    except ExpressionError:
        return None


# Faults are not compared: the library is lenient where CEL is not (it adds a map to a list, say).
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(max_examples=1500, deadline=None, derandomize=True)
@given(EXPRESSIONS)
def test_where_both_give_a_value_it_is_the_same(expression: str) -> None:
    mine, other = ours(expression), theirs(expression)
    if mine is not None and other is not None:
        assert mine == other, (mine, other)
        assert type(mine) is type(other)


def test_our_examples_of_plain_cel_agree() -> None:
    same = 0
    for expression, value in VALUES:
        other = theirs(expression, DATA)
        comparable = other is not None and not isinstance(other, datetime | timedelta)
        if comparable and expression not in DIFFERENT:
            assert other == value, expression
            same += 1
    assert same >= 50


#: The library counts the bytes of a text (CEL counts characters), and its maps have no order.
DIFFERENT = {"size('héé') + size([1]) + params.m.size()", "params.m.map(k, k)"}
