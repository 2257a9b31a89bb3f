"""The expression language: what each operation gives, and what it refuses."""

from __future__ import annotations

import time
from typing import Any

import pytest

from celesta.graph.cel.parser import parse
from celesta.graph.cel.syntax import CelSyntaxError
from celesta.graph.expressions import ExpressionError, evaluate

DATA = {
    "params": {
        "n": 7,
        "x": 1.5,
        "s": "tea",
        "yes": True,
        "nil": None,
        "l": [3, 1, 2],
        "m": {"a": 1, "b-c": 2},
        "people": [{"name": "Ada", "age": 36}, {"name": "Alan", "age": 41}],
    }
}

VALUES: list[tuple[str, Any]] = [
    ("1 + 2 * 3 - 4", 3),
    ("(1 + 2) * 3", 9),
    ("-7 / 2", -3),
    ("-7 % 3", -1),
    ("7 % -3", 1),
    ("1.0 / 4.0", 0.25),
    ("-9223372036854775808", -(2**63)),
    ("0x1F", 31),
    ("'a' + \"b\"", "ab"),
    ("[1] + [2]", [1, 2]),
    (r"'\u00e9\n\x41\101'", "é\nAA"),
    (r"r'\d'", r"\d"),
    ("'''it's'''", "it's"),
    ("1 == 1.0 && 1 != 2", True),
    ("true == 1", False),
    ("'1' == 1", False),
    ("null == params.nil", True),
    ("[1, {'a': 2}] == [1.0, {'a': 2.0}]", True),
    ("1 < 1.5 && 'a' < 'b' && 2 >= 2", True),
    ("1 < 2 == true", True),
    ("2 in params.l && !(9 in params.l)", True),
    ("'a' in params.m", True),
    ("true in [1]", False),
    ("params.n > 5 ? 'many' : 'few'", "many"),
    ("false ? 1 : true ? 2 : 3", 2),
    ("params.m['b-c']", 2),
    ("params.l[0]", 3),
    ("params.l[params.n - 6]", 1),
    ("has(params.m.a)", True),
    ("has(params.m.z)", False),
    ("has(params.z.z.z)", False),
    ("has(params.nil.z)", False),
    ("has(params.l[9])", False),
    ("has(params.nil)", True),
    ("default(params.z, 5)", 5),
    ("default(params.m.a, 5)", 1),
    ("default(params.nil, 5)", 5),
    ("default(params.l[9].x, params.n)", 7),
    ("false && params.z", False),
    ("params.z && false", False),
    ("params.z > 1 || true", True),
    ("params.l.map(i, i * 2)", [6, 2, 4]),
    ("params.l.map(i, i > 1, i * 2)", [6, 4]),
    ("params.l.filter(i, i > 1)", [3, 2]),
    ("params.l.all(i, i > 0) && !params.l.all(i, i > 1)", True),
    ("params.l.exists(i, i == 2)", True),
    ("params.l.exists_one(i, i > 2)", True),
    ("params.m.map(k, k)", ["a", "b-c"]),
    ("params.people.map(p, p.name).join(', ')", "Ada, Alan"),
    ("params.people.filter(p, p.age > 40)[0].name", "Alan"),
    ("[[1, 2], [3]].map(x, x.map(y, y + params.n))", [[8, 9], [10]]),
    ("[1].map(params, params)", [1]),
    ("{'a': [params.n], 'b': {'c': null}}", {"a": [7], "b": {"c": None}}),
    ("size('héé') + size([1]) + params.m.size()", 6),
    ("int('42') + int(1.9) + int(-1.9)", 42),
    ("double('1.5') + double(2)", 3.5),
    ("string(1) + string(true) + string(1.5)", "1true1.5"),
    ("bool('true')", True),
    ("'teapot'.startsWith('tea') && 'teapot'.endsWith('pot') && 'teapot'.contains('ap')", True),
    ("'a1'.matches('^[a-z][0-9]$')", True),
    ("'a1b2'.matches('[0-9]')", True),
    ("' Ab é'.trim().upperAscii() + 'É'.lowerAscii()", "AB éÉ"),
    ("'a,b,c'.split(',')", ["a", "b", "c"]),
    ("'banana'.replace('an', 'o')", "booa"),
    ("'banana'.substring(2) + 'banana'.substring(0, 2)", "nanaba"),
    ("'banana'.indexOf('n')", 2),
    ("sum(params.l) + min(params.l) + max(4, 9)", 16),
    ("[0.5, 1].sum()", 1.5),
    ("params.l.sort() + params.l.reverse()", [1, 2, 3, 2, 1, 3]),
    ("[1, 2, 1, 'a', true, 1].distinct()", [1, 2, "a", True]),
    ("params.l.first() + params.l.last()", 5),
    ("params.l.slice(1, 3)", [1, 2]),
    ("[[1], 2, [3, [4]]].flatten()", [1, 2, 3, [4]]),
    ("math.round(2.5) + math.floor(1.9) + math.ceil(1.1) + math.trunc(-1.9)", 5.0),
    ("math.abs(-3)", 3),
    ("timestamp('2026-01-31T08:00:00Z') + duration('36h')", "2026-02-01T20:00:00Z"),
    ("timestamp('2026-01-31T08:00:00+02:00') - timestamp('2026-01-31T05:00:00Z')", "3600s"),
    ("duration('1h30m').getMinutes()", 90),
    ("timestamp('2026-01-31T23:30:00Z').getDayOfWeek('Europe/Berlin')", 0),
    ("timestamp('2026-03-01T00:00:00Z').getFullYear()", 2026),
    ("timestamp('2026-03-01T00:00:00Z').getMonth()", 2),
    ("timestamp('2026-03-01T00:00:00Z') < timestamp('2026-03-02T00:00:00Z')", True),
    ("int(timestamp('1970-01-02T00:00:00Z'))", 86400),
    ("duration('-90s')", "-90s"),
]


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_an_expression_gives(expression: str, value: Any) -> None:
    found = evaluate(expression, DATA)
    assert found == value
    assert type(found) is type(value)


REFUSED: list[tuple[str, str, str]] = [
    ("params.m.z", "unresolved_reference", "params.m.z does not exist: params.m has no 'z'"),
    ("params.l[3]", "unresolved_reference", "params.l has 3 items"),
    ("params.l[-1]", "unresolved_reference", "counted from 0"),
    ("params.nil.a", "unresolved_reference", "params.nil is null"),
    ("nobody", "unresolved_reference", "'nobody'"),
    ("params.s.a", "expression_type", "params.s is a string"),
    ("params.l.a", "expression_type", "params.l is a list"),
    ("params.m[1]", "expression_type", "params.m is a map"),
    ("params.l[true]", "expression_type", "params.l is a list"),
    ("1 + 1.5", "expression_type", "int and double"),
    ("'a' + 1", "expression_type", "convert with"),
    ("'a' < 1", "expression_type", "string and int"),
    ("true < 1", "expression_type", "bool and int"),
    ("!1", "expression_type", "!"),
    ("-'a'", "expression_type", "-"),
    ("1 && true", "expression_type", "&&"),
    ("1 ? 2 : 3", "expression_type", "?"),
    ("1 in 2", "expression_type", "in"),
    ("{1: 2}", "expression_type", "key of a map"),
    ("size(1)", "expression_type", "size()"),
    ("params.n.map(x, x)", "expression_type", "map()"),
    ("params.l.filter(x, x)", "expression_type", "filter"),
    ("[1, 'a'].sort()", "expression_type", "number and string"),
    ("[[1]].distinct()", "expression_type", "distinct()"),
    ("['a'].sum()", "expression_type", "sum()"),
    ("[1].join()", "expression_type", "join()"),
    ("int(true)", "expression_type", "int()"),
    ("1 / 0", "expression_failed", "division by zero"),
    ("1 % 0", "expression_failed", "division by zero"),
    ("1.0 / 0.0", "expression_failed", "not a JSON number"),
    ("9223372036854775807 + 1", "expression_failed", "64 bits"),
    ("int('x')", "expression_failed", "'x' is no whole number"),
    ("int(1e30)", "expression_failed", "whole number"),
    ("double('x')", "expression_failed", "no number"),
    ("bool('yes')", "expression_failed", "neither"),
    ("timestamp('2026-01-31')", "expression_failed", "no zone"),
    ("timestamp('x')", "expression_failed", "no timestamp"),
    ("duration('soon')", "expression_failed", "no duration"),
    ("timestamp('2026-01-31T00:00:00Z').getHours('Mars')", "expression_failed", "no time zone"),
    ("timestamp('2026-01-31T00:00:00Z').getHours('../etc')", "expression_failed", "no time zone"),
    ("timestamp('9999-12-31T00:00:00Z') + duration('48h')", "expression_failed", "no time"),
    ("'a'.matches('(')", "expression_failed", "no regular expression"),
    ("'abc'.substring(2, 9)", "expression_failed", "outside"),
    ("[].first()", "expression_failed", "empty"),
    ("[].max()", "expression_failed", "nothing"),
    ("[1].slice(0, 2)", "expression_failed", "outside"),
]


@pytest.mark.parametrize(("expression", "code", "words"), REFUSED)
def test_an_expression_is_refused_with_the_reason(expression: str, code: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, DATA, "with.url")
    assert (caught.value.code, caught.value.path) == (code, "with.url")
    assert words in caught.value.message


MALFORMED: list[tuple[str, int, str]] = [
    ("", 0, "expected a value"),
    ("1 +", 3, "expected a value"),
    ("1 2", 2, "expected an operator"),
    ("(1", 2, "expected ')'"),
    ("a.", 2, "expected a name"),
    ("a.1", 1, "expected an operator"),
    ("a.'b'", 2, "expected a name"),
    ("a[1", 3, "expected ']'"),
    ("'abc", 0, "closing quote"),
    (r"'\q'", 0, "escape"),
    (r"'\ud800'", 0, "no character"),
    ("a # b", 2, "no meaning"),
    ("a = b", 2, "no meaning"),
    ("a ? b", 5, "expected ':'"),
    ("{'a' 1}", 5, "expected ':'"),
    ("[1 2]", 3, "expected ','"),
    ("[,]", 1, "expected a value"),
    ("foo(1)", 0, "no function 'foo'"),
    ("size()", 0, "takes 1"),
    ("'a'.sise()", 0, "'size'"),
    ("has(1)", 0, "has()"),
    ("default(1, 2)", 0, "default()"),
    ("a.?b", 2, "default(path"),
    ("l.map(1, 2)", 2, "name of a variable"),
    ("l.map(x)", 2, "a variable and an expression"),
    ("for", 0, "reserved word"),
    ("9223372036854775808", 0, "64 bits"),
    ("1u", 1, "expected an operator"),
]


@pytest.mark.parametrize(("expression", "at", "words"), MALFORMED)
def test_bad_syntax_is_told_with_its_place(expression: str, at: int, words: str) -> None:
    with pytest.raises(CelSyntaxError) as caught:
        parse(expression)
    assert (caught.value.at, words in str(caught.value)) == (at, True), caught.value


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 100 + "1" + ")" * 100,
        "[" * 100 + "]" * 100,
        "!" * 500 + "true",
        "a" + ".b" * 500,
        "true ? 1 : " * 300 + "1",
        "[1]" + ".map(x, [x, x])" * 200,
        "1" + " + 1" * 2000,
        "l.map(a, l.map(b, l.map(c, l.map(d, 1))))",
        "f(" * 50,
    ],
)
def test_an_expression_beyond_the_limits_is_refused_not_run(expression: str) -> None:
    with pytest.raises(
        ExpressionError, match=r"nested|limit|within|no function|expected"
    ) as caught:
        evaluate(expression, {"a": {}, "l": []})
    assert caught.value.code == "expression_syntax"


def test_long_flat_expressions_within_the_limit_are_fine() -> None:
    assert evaluate("+".join(["1"] * 1900), {}) == 1900
    assert evaluate(" || ".join(["false"] * 400), {}) is False


RUNAWAY = [
    "l.map(a, l.map(b, l.map(c, 1)))",
    "l.filter(a, l.exists(b, l.exists(c, a == -1)))",
    "l.map(a, l).map(a, l)",
    "['a']" + ".map(x, x + x)" * 50,
    "[1]" + ".map(x, [x, x])" * 50,
    "s + s + s + s" + " + s" * 500,
    "s.replace('', s)",
    "l.map(x, s).join(s)",
    "s.split('').map(x, s)",
    "l.map(x, l) == l.map(x, l)",
]


@pytest.mark.parametrize("expression", RUNAWAY)
def test_an_expression_that_runs_away_is_stopped_within_its_steps(expression: str) -> None:
    scope = {"l": list(range(3000)), "s": "x" * 100_000}
    began = time.process_time()
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, scope)
    assert caught.value.code == "expression_too_costly"
    assert time.process_time() - began < 5


def test_catastrophic_patterns_take_linear_time() -> None:
    began = time.process_time()
    assert evaluate("params.s.matches('^(a+)+$')", {"params": {"s": "a" * 50_000 + "b"}}) is False
    assert time.process_time() - began < 1


def test_ordinary_work_on_large_data_is_within_the_steps() -> None:
    scope = {"l": [{"id": i, "name": f"n{i}"} for i in range(50_000)]}
    assert len(evaluate("l.filter(x, x.id > 5 && x.name != 'n7').map(x, x.id)", scope)) == 49_993


def test_a_plain_path_gives_the_data_itself_without_a_copy() -> None:
    output = {"rows": list(range(1000))}
    scope = {"nodes": {"a": {"state": "succeeded", "output": output}}}
    assert evaluate("nodes.a.output", scope) is output
    assert evaluate("nodes.a.output.rows", scope) is output["rows"]
