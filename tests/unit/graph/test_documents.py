"""D1, D3: texts become data, with everything that YAML or JSON could smuggle in refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celesta.graph import documents
from celesta.graph.problems import DocumentInvalid, Problem

SOURCE = """\
# An order, with some é in it.
workflow: orders.fulfil
title: "Größe: é"
nodes:
  fetch:
    type: http
    with: {url: "{{ params.a }} and {{ params.b }}"}
  pay:
    needs: [fetch, other]
    with:
      text: |
        {{ params.a }}
        {{ params.b + }}
"""


def refusal(source: str | bytes, **options: Any) -> Problem:
    with pytest.raises(DocumentInvalid) as caught:
        documents.load(source, **options)
    (problem,) = caught.value.problems
    return problem


def test_yaml_is_read_with_the_core_schema() -> None:
    text = """
    no: no
    yes: yes
    on: on
    truth: [true, False, TRUE]
    nothing: [null, ~, ]
    numbers: [1, -2, 0x1F, 0o17, 1.5, 1e3, .5]
    texts: [2020-01-01, 12:30, 1_000, 60s, "1", 'true', !!str 5]
    tagged: !!float 1
    """
    assert documents.load(text).data == {
        "no": "no",
        "yes": "yes",
        "on": "on",
        "truth": [True, False, True],
        "nothing": [None, None],
        "numbers": [1, -2, 31, 15, 1.5, 1000.0, 0.5],
        "texts": ["2020-01-01", "12:30", "1_000", "60s", "1", "true", "5"],
        "tagged": 1.0,
    }


def test_json_and_yaml_give_the_same_data() -> None:
    data = documents.load(SOURCE).data
    assert documents.load(json.dumps(data)).data == data
    assert documents.load(json.dumps(data), fmt="yaml").data == data


def test_bytes_may_begin_with_a_byte_order_mark() -> None:
    assert documents.load(b"\xef\xbb\xbfa: 1").data == {"a": 1}


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3", "duplicate_key", 3, 1),
        ("a:\n  b: 1\n  b: 2", "duplicate_key", 3, 3),
        ("a: [1, 2", "yaml_syntax", 2, 1),
        ("a: b: c", "yaml_syntax", 1, 5),
        ("a: \0", "yaml_syntax", 1, 4),
        ("a: *nobody", "yaml_syntax", 1, 4),
        ("a: &x [*x]", "yaml_syntax", 1, 8),
        ("<<: {a: 1}", "yaml_syntax", 1, 1),
        ("[1, 2]: x", "yaml_syntax", 1, 1),
        ("--- {a: 1}\n--- {b: 2}", "yaml_syntax", 2, 1),
        ("a: !!python/object:os.system {}", "yaml_tag", 1, 4),
        ("a: !!int x", "yaml_tag", 1, 4),
        ("a: !mine {}", "yaml_tag", 1, 4),
        ("a: .inf", "not_json", 1, 4),
        ("a: 1e999", "not_json", 1, 4),
        ("a: " + "[" * 100, "document_too_deep", 1, 67),
        ("[1]", "not_a_mapping", 1, 1),
        ("", "not_a_mapping", 1, 1),
        ('{"a": 1, "a": 2}', "duplicate_key", 1, 10),
        ('{\n"a": NaN}', "not_json", 2, 6),
        ('{"a": -Infinity}', "not_json", 1, 7),
        ('{"a": }', "json_syntax", 1, 7),
        ('{"a": 1} x', "json_syntax", 1, 10),
        ('{"a": ' + "[" * 100_000, "document_too_deep", 1, 1),
        ('{"a": ' + "1" * 5000 + "}", "not_json", 1, 1),
        ("a: \ud800", "not_utf8", 1, 1),
        (b"a: 1\nb: \xff", "not_utf8", 2, None),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_place(
    source: str | bytes, code: str, line: int, column: int | None
) -> None:
    problem = refusal(source)
    assert (problem.code, problem.line, problem.column) == (code, line, column)
    assert problem.message


def test_a_document_larger_than_the_limit_is_refused() -> None:
    assert refusal("a: " + "x" * 100, max_bytes=50).code == "document_too_large"
    assert refusal("é" * 30, max_bytes=50).code == "document_too_large"
    assert documents.load("a: " + "x" * 40, max_bytes=50).data


def test_aliases_are_counted_with_what_they_unfold_to() -> None:
    levels = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]\n" for i in range(1, 9))
    bomb = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n" + levels
    assert refusal(bomb).code == "yaml_alias_bomb"
    assert refusal(f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1000)}]").code == (
        "yaml_alias_bomb"
    )
    assert documents.load("a: &a {x: 1}\nb: [*a, *a]").data["b"] == [{"x": 1}, {"x": 1}]


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_every_part_of_a_text_can_be_found(form: str) -> None:
    data = documents.load(SOURCE).data
    text = SOURCE if form == "yaml" else json.dumps(data, indent=2, ensure_ascii=False)
    positions = documents.load(text).positions
    lines = text.splitlines()

    def at(path: str) -> str:
        line, column = positions.find(path) or (0, 0)
        return lines[line - 1][column - 1 :]

    assert at("workflow").lstrip('"').startswith("orders.fulfil")
    assert at("nodes.pay").lstrip('"').startswith("pay")
    assert at("nodes.pay.needs[1]").lstrip('"').startswith("other")
    assert at("nodes.pay.nothing") == at("nodes.pay")
    assert at("nodes.fetch.type").lstrip('"').startswith("http")


def test_a_fault_inside_a_text_is_found_to_the_character() -> None:
    positions = documents.load(SOURCE).positions
    assert positions.within("nodes.fetch.with.url", "params.b", 7) == (7, 47)
    assert positions.within("nodes.pay.with.text", "params.b +", 10) == (13, 22)
    assert positions.within("nodes.pay.with.text", "not there", 0) is None
    assert positions.find("no path!") is None


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(blacklist_categories=("Cs", "Cc"), whitelist_characters="\n\t")),
    st.sampled_from(["no", "0o17", "1e3", "null", "~", "", "1_0", "{{ a }}", "a: b", "- x", "<<"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc<~-0", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)
DATA = st.dictionaries(st.text("abcxyz", min_size=1, max_size=5), VALUES, max_size=4)


@settings(max_examples=60, deadline=None)
@given(DATA)
def test_what_is_dumped_is_read_back_the_same(data: dict[str, Any]) -> None:
    assert documents.load(documents.dump(data), fmt="yaml").data == data


@settings(max_examples=60, deadline=None)
@given(DATA)
def test_places_of_json_are_those_of_its_values(data: dict[str, Any]) -> None:
    text = json.dumps(data)
    positions = documents.load(text, fmt="json").positions
    for key, value in data.items():
        line, column = positions.find(key) or (0, 0)
        expected = (
            json.dumps(key) if value and isinstance(value, dict | list) else json.dumps(value)
        )
        assert line == 1
        assert text[column - 1 :].startswith(expected)


def test_a_fault_in_json_that_is_barely_readable_is_placed_nearby() -> None:
    # Python's reader steps over values by recursion: below a deep stack it may not get to the end.
    depth = 900
    text = '{"workflow": "w",\n "nodes": ' + "[" * depth + "]" * depth + "}"
    loaded = documents.load(text)

    def below(frames: int) -> tuple[int, int] | None:
        return below(frames - 1) if frames else loaded.positions.find(("nodes", 0))

    # From Python 3.12 on, what is written in C has a limit of its own.
    assert below(200) in {(1, 1), (2, 12)}


def test_members_of_json_are_found_whatever_the_space_between_them() -> None:
    loaded = documents.load('\n { "a" :\n\t[ 1 ,{ } , { "b\\n" :"x]}"}\n ] , "c":[]}  ')
    places = {
        ("a",): (2, 4),
        ("a", 0): (3, 4),
        ("a", 1): (3, 7),
        ("a", 2, "b\n"): (3, 22),
        ("c",): (4, 10),
        ("absent",): (2, 2),
    }
    assert {path: loaded.positions.find(path) for path in places} == places
