from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from celesta.runs.outcomes import Wait
from tests.contracts.nodes.harness import codes, failure, run


@pytest.mark.parametrize(
    ("written", "seconds"), [("500ms", 0.5), ("30s", 30), ("5m", 300), ("1d", 86400), ("0s", 0)]
)
def test_a_duration_becomes_seconds(written: str, seconds: float) -> None:
    assert run("wait", {"for": written}).outcome == Wait(seconds=seconds)


def test_an_expression_may_give_seconds_or_a_duration() -> None:
    for value in (90, 90.0, "90s"):
        config = {"for": "{{ params.pause }}"}
        assert run("wait", config, {"params": {"pause": value}}).outcome == Wait(seconds=90.0)


def test_until_is_a_moment_with_its_zone() -> None:
    found = run("wait", {"until": "2030-01-31T09:00:00+01:00"})
    assert found.outcome == Wait(until=datetime(2030, 1, 31, 8, tzinfo=UTC))
    found = run("wait", {"until": "{{ params.at }}"}, {"params": {"at": "2030-01-31T08:00:00Z"}})
    assert isinstance(found.outcome, Wait)


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({}, ""),
        ({"for": "1s", "until": "2030-01-31T08:00:00Z"}, ""),
        ({"for": "{{ params.a }}", "until": "{{ params.b }}"}, ""),
        ({"for": "soon"}, ".for"),
        ({"for": "1m30s"}, ".for"),
        ({"for": -1}, ".for"),
        ({"for": True}, ".for"),
        ({"for": "4000d"}, ".for"),
        ({"until": "2030-01-31T08:00:00"}, ".until"),
        ({"until": "tomorrow"}, ".until"),
    ],
)
def test_what_is_no_time_is_refused_at_publish(config: dict[str, Any], path: str) -> None:
    assert codes("wait", config) == {("invalid_config", f"nodes.it.with{path}")}


def test_a_moment_that_turns_out_to_be_none_fails_for_good() -> None:
    found = failure(run("wait", {"until": "{{ params.at }}"}, {"params": {"at": "noon"}}))
    assert (found.code, found.retryable) == ("invalid_config", False)
