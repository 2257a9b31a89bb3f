"""What params may hold."""

from __future__ import annotations

import pytest

from celesta.engine.params import checked_params
from celesta.runs.errors import ParamsInvalid


@pytest.mark.parametrize("text", ["a\0b", "\0", "\\\0", "\\\\\0"])
def test_no_nul_character(text: str) -> None:
    for params in ({"a": text}, {text: 1}, {"a": [{"b": text}]}):
        with pytest.raises(ParamsInvalid) as refused:
            checked_params({}, params)
        assert refused.value.problems[0].code == "nul_character"


@pytest.mark.parametrize("text", ["\\u0000", "a\\\\u0000", "\\u00001"])
def test_a_backslash_before_u0000_is_no_nul_character(text: str) -> None:
    assert checked_params({}, {"a": text}) == {"a": text}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_of_json_does_not_become_null(number: float) -> None:
    for params in ({"a": number}, {"a": [{"b": number}], "c": None}):
        with pytest.raises(ParamsInvalid) as refused:
            checked_params({}, params)
        assert refused.value.problems[0].code == "not_json"
    assert checked_params({}, {"a": None, "b": "null", "c": 1.5}) == {
        "a": None,
        "b": "null",
        "c": 1.5,
    }
