from __future__ import annotations

from typing import Any

import pytest

import celesta
from celesta.runs.outcomes import Expand, RetryLater, Skipped
from celesta_worker.context import NodeContext
from celesta_worker.execute import execute, prepare
from tests.contracts.nodes.harness import a_context, a_node, codes, failure, output, run, types


@celesta.node("tests.python.add")
def add(a: int, b: int = 10) -> int:
    return a + b


@celesta.node("tests.python.where")
def where(context: NodeContext) -> dict[str, Any]:
    return {"run": context.run_id, "attempt": context.attempt}


@celesta.node("tests.python.later")
async def later(text: str) -> str:
    return text.upper()


def logged(function: Any) -> Any:
    def call(text: str) -> Any:
        return function(text)

    return call


@celesta.node("tests.python.decorated")
@logged
async def decorated(text: str) -> str:
    return text.lower()


@celesta.node("tests.python.greedy")
def greedy(items: list[Any]) -> list[Any]:
    items.append("mine")
    return items


@celesta.node("tests.python.says")
def says(what: str) -> Any:
    return {"skip": Skipped("no"), "retry": RetryLater(5), "expand": Expand([1])}[what]


@celesta.node("tests.python.fails")
def fails() -> None:
    raise ZeroDivisionError("by design")


def test_a_function_is_called_with_its_arguments_and_defaults() -> None:
    assert output(run("python", {"function": "tests.python.add", "args": {"a": 1}})) == 11


def test_arguments_may_be_templates_and_keep_their_type() -> None:
    config = {"function": "tests.python.add", "args": {"a": "{{ params.a }}", "b": 2}}
    assert codes("python", config) == set()
    assert output(run("python", config, {"params": {"a": 40}})) == 42


def test_a_function_that_asks_for_the_context_gets_it() -> None:
    found = run("python", {"function": "tests.python.where"}, attempt=3)
    assert output(found) == {"run": "run-1", "attempt": 3}


def test_an_async_function_is_awaited_and_may_share_its_slot() -> None:
    config = {"function": "tests.python.later", "args": {"text": "a"}}
    assert output(run("python", config)) == "A"
    assert prepare(a_node("python", config), types).is_async
    assert not prepare(a_node("python", {"function": "tests.python.add"}), types).is_async


def test_an_async_function_behind_a_plain_decorator_is_awaited_too() -> None:
    assert (
        output(run("python", {"function": "tests.python.decorated", "args": {"text": "A"}})) == "a"
    )


def test_an_unknown_function_is_a_problem_at_publish_with_the_nearest_name() -> None:
    config = {"function": "tests.python.ad"}
    assert codes("python", config) == {("unknown_function", "nodes.it.with.function")}
    found = failure(run("python", config))
    assert (found.code, found.retryable) == ("unknown_function", True)
    assert "tests.python.add" in found.message


def test_arguments_are_checked_against_the_signature_at_publish() -> None:
    config = {"function": "tests.python.add", "args": {"a": "x", "c": 1}}
    assert codes("python", config) == {
        ("invalid_config", "nodes.it.with.args.a"),
        ("unknown_field", "nodes.it.with.args.c"),
    }
    missing = {"function": "tests.python.add", "args": {}}
    assert codes("python", missing) == {("missing_field", "nodes.it.with.args.a")}


def test_arguments_that_turn_out_not_to_fit_are_not_retried() -> None:
    config = {"function": "tests.python.add", "args": {"a": "{{ params.a }}"}}
    found = failure(run("python", config, {"params": {"a": "many"}}))
    assert (found.code, found.retryable) == ("invalid_args", False)
    assert found.details["errors"][0]["path"] == "with.args.a"


def test_what_a_function_does_to_its_arguments_stays_with_that_run() -> None:
    config = {"function": "tests.python.greedy", "args": {"items": [[]]}}
    prepared = prepare(a_node("python", config), types)
    first, second = (execute(prepared, a_context()) for _ in range(2))
    assert output(first) == output(second) == [[], "mine"]


def test_a_function_may_answer_an_outcome() -> None:
    def said(what: str) -> Any:
        return run("python", {"function": "tests.python.says", "args": {"what": what}})

    assert said("skip").outcome == Skipped("no")
    assert said("retry").outcome == RetryLater(5)
    assert failure(said("expand")).code == "outcome_not_allowed"


def test_an_exception_is_a_failure_that_may_be_retried() -> None:
    found = failure(run("python", {"function": "tests.python.fails"}))
    assert (found.message, found.retryable) == ("ZeroDivisionError: by design", True)
    assert found.details["traceback"].count("File ") == 1, "only the author's frames are shown"


@pytest.mark.parametrize("args", [[1], "a", 5])
def test_arguments_that_are_no_mapping_are_refused(args: Any) -> None:
    found = codes("python", {"function": "tests.python.add", "args": args})
    assert found == {("invalid_config", "nodes.it.with.args")}
