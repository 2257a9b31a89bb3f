from __future__ import annotations

from typing import Any

import pytest

from celesta.runs.outcomes import Expand
from tests.contracts.nodes.harness import codes, failure, run

DO = {"type": "transform", "with": {"output": "{{ item * 2 }}"}}


def test_a_list_expands_into_its_items_and_the_body_is_left_alone() -> None:
    found = run("map", {"over": "{{ params.rows }}", "do": DO}, {"params": {"rows": [1, [2]]}})
    assert found.outcome == Expand([1, [2]])
    assert found.encoded == "[1,[2]]"


def test_a_mapping_expands_into_keys_and_values() -> None:
    found = run("map", {"over": {"a": 1}, "do": DO})
    assert found.outcome == Expand([{"key": "a", "value": 1}])


def test_limits_are_handed_on() -> None:
    found = run("map", {"over": [], "max_parallel": 3, "tolerate": 2, "do": DO})
    assert found.outcome == Expand([], max_parallel=3, tolerate=2)


@pytest.mark.parametrize("over", ["text", 5, None, True])
def test_what_is_no_list_fails_for_good(over: Any) -> None:
    found = failure(run("map", {"over": "{{ params.x }}", "do": DO}, {"params": {"x": over}}))
    assert (found.code, found.retryable) == ("not_a_list", False)


def test_too_many_items_fail_with_the_numbers(settings: Any) -> None:
    settings.CELESTA = {"MAX_MAP_ITEMS": 3}
    found = failure(run("map", {"over": [1, 2, 3, 4], "do": DO}))
    assert (found.code, found.details) == ("too_many_items", {"items": 4, "limit": 3})


@pytest.mark.parametrize(("name", "value"), [("max_parallel", 0), ("tolerate", -1)])
def test_limits_below_zero_are_refused(name: str, value: int) -> None:
    found = codes("map", {"over": [], "do": DO, name: value})
    assert found == {("invalid_config", f"nodes.it.with.{name}")}
