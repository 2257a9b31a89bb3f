"""Bodies that are accepted and refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celesta.api import strict_json
from celesta.api.refusals import MalformedBody

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    leaves | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20
)


@given(values)
def test_all_proper_json_is_read_as_it_is(value: Any) -> None:
    assert strict_json.loads(json.dumps(value).encode()) == value


@given(st.binary())
def test_other_bytes_are_refused_and_never_crash(data: bytes) -> None:
    try:
        value = strict_json.loads(data)
    except MalformedBody:
        return
    assert strict_json.loads(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "line 1, column 1"),
        (b"[1,]", "line 1"),
        (b"{\n'a': 1}", "line 2, column 1"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"-1e400", "too large"),
        (b'{"a": {"b": 1, "b": 1}}', "'b' is there twice"),
        (b'{"a\\u0000": 1}', "NUL"),
        (b'["\\udfff"]', "surrogate"),
        (b"\xef\xbb\xbf1", "BOM"),
        (b"[" * 101 + b"]" * 101, "100 levels"),
        (b'{"a":' * 101 + b"1" + b"}" * 101, "100 levels"),
    ],
)
def test_a_refusal_says_why_and_where(body: bytes, words: str) -> None:
    with pytest.raises(MalformedBody, match=words):
        strict_json.loads(body)


def test_the_deepest_body_that_is_read() -> None:
    assert strict_json.loads(b"[" * 100 + b"]" * 100)
