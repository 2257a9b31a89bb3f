from __future__ import annotations

import json
from collections import UserDict
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celesta_worker.normalise import LARGEST, MAX_DEPTH, SMALLEST, Refusal, encode

MB = 1024 * 1024

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(SMALLEST, LARGEST)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(codec="ascii", exclude_characters="\0")), inner)
    ),
)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def refusal(value: Any, max_bytes: int = MB) -> Refusal:
    with pytest.raises(Refusal) as caught:
        encode(value, max_bytes)
    return caught.value


@given(json_values)
def test_every_json_value_comes_back_as_it_was(value: Any) -> None:
    assert json.loads(encode(value, MB)) == value


def test_tuples_become_arrays_and_numeric_keys_become_strings() -> None:
    class Colour(IntEnum):
        RED = 1

    assert encode({1: (Colour.RED, True)}, MB) == '{"1":[1,true]}'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_json_number_is_refused_with_its_path(number: float) -> None:
    found = refusal({"rows": [{"price": 1.0}, {"price": number}]})
    assert (found.code, found.path) == ("result_nan", "output.rows[1].price")


@pytest.mark.parametrize("value", [{"a": ["ok", "no\0"]}, {"a": {"b\0": 1}}])
def test_a_nul_character_is_refused_in_values_and_keys(value: Any) -> None:
    assert refusal(value).code == "result_nul"


def test_a_backslash_before_u0000_is_no_nul_character() -> None:
    assert json.loads(encode("\\u0000", MB)) == "\\u0000"


def test_half_of_a_surrogate_pair_is_refused() -> None:
    assert refusal(["\ud800"]).code == "result_not_text"


@pytest.mark.parametrize(
    "number", [LARGEST + 1, SMALLEST - 1, 10**5000], ids=["large", "small", "huge"]
)
def test_an_integer_that_expressions_would_round_is_refused(number: int) -> None:
    found = refusal({"id": number})
    assert (found.code, found.path) == ("result_int_too_large", "output.id")


def test_long_digits_inside_text_and_the_outermost_integers_are_fine() -> None:
    value = ["1" * 40, LARGEST, SMALLEST, 1e300]
    assert json.loads(encode(value, MB)) == value


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), "datetime.datetime"),
        (Decimal(1), "decimal.Decimal"),
        (b"bytes", "bytes"),
        ({1, 2}, "set"),
        (UserDict(), "collections.UserDict"),
        (lambda: None, "function"),
    ],
)
def test_what_is_not_json_is_named_with_its_type_and_path(value: Any, kind: str) -> None:
    found = refusal({"found": [None, value]})
    assert (found.code, found.path) == ("result_not_json", "output.found[1]")
    assert kind in found.message


def test_a_key_that_is_no_text_is_refused() -> None:
    assert refusal({("a", "b"): 1}).code == "result_not_json"


def test_the_deepest_allowed_value_passes_and_one_level_more_is_refused() -> None:
    assert encode(nested(MAX_DEPTH), MB)
    assert refusal(nested(MAX_DEPTH + 1)).code == "result_too_deep"
    assert refusal(nested(100_000)).code == "result_too_deep"


def test_a_wide_value_is_not_taken_for_a_deep_one() -> None:
    assert encode([{} for _ in range(MAX_DEPTH * 3)], MB)


def test_a_value_that_contains_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert refusal(loop).code == "result_too_deep"


def test_looking_for_the_culprit_ends_even_in_a_value_that_contains_itself() -> None:
    class Sly(dict[str, Any]):
        def items(self) -> Any:
            raise RuntimeError("not today")

    loop: list[Any] = [Sly(a=1)]
    loop += [loop, loop]
    assert refusal(loop).code == "result_not_json"


def test_size_is_counted_in_bytes_of_utf8() -> None:
    assert encode("é" * 10, 22)
    found = refusal("é" * 11, 22)
    assert found.code == "result_too_large"
    assert "artifacts" in found.message
