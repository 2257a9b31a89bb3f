from __future__ import annotations

from typing import Any, NoReturn

import pytest

from celesta_worker.failures import MAX_MESSAGE, MAX_TRACEBACK, clean, failed


def boom(message: str) -> NoReturn:
    raise LookupError(message)


def caught(function: Any, *args: Any) -> BaseException:
    try:
        function(*args)
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError("it did not raise")


def test_a_failure_says_what_where_and_how() -> None:
    outcome = failed(caught(boom, "no such order"))

    assert outcome.message == "LookupError: no such order"
    assert outcome.retryable
    assert outcome.details["type"] == "LookupError"
    assert "in boom" in outcome.details["traceback"]


def test_the_fingerprint_groups_by_class_and_place_not_by_message() -> None:
    def elsewhere() -> None:
        raise LookupError("no such order")

    same = failed(caught(boom, "order 1")).details["fingerprint"]
    assert failed(caught(boom, "order 2")).details["fingerprint"] == same
    assert failed(caught(elsewhere)).details["fingerprint"] != same


def test_a_cause_is_shown_too() -> None:
    def wrap() -> None:
        try:
            boom("inner")
        except LookupError as error:
            raise ValueError("outer") from error

    assert "inner" in failed(caught(wrap)).details["traceback"]


def test_a_runaway_recursion_has_a_bounded_traceback() -> None:
    def ping(depth: int) -> int:
        return pong(depth) + 1

    def pong(depth: int) -> int:
        return ping(depth) + 1

    details = failed(caught(ping, 0)).details
    assert details["type"] == "RecursionError"
    assert len(details["traceback"]) <= MAX_TRACEBACK


def test_texts_are_made_storable_and_bounded() -> None:
    outcome = failed(ValueError("a\0b\ud800" + "x" * 5000))

    assert "\0" not in outcome.message
    outcome.message.encode()  # raises for half a surrogate pair
    assert len(outcome.message) == MAX_MESSAGE
    assert clean("short", 10) == "short"


@pytest.mark.parametrize("raised", [RuntimeError, SystemExit])
def test_an_exception_that_cannot_be_shown_is_still_reported(raised: type[BaseException]) -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise raised

    outcome = failed(BrokenError())
    assert "cannot be shown" in outcome.message
    assert outcome.details["fingerprint"]
