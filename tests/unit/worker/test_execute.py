"""Whatever a node's code does, one answer comes back, and nothing of it reaches the next node."""

from __future__ import annotations

import asyncio
import contextvars
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

import pytest
from django.utils import timezone, translation
from pydantic import BaseModel

import celesta
from celesta.graph.node_types import Registry
from celesta.graph.plan import Plan
from celesta.runs.outcomes import (
    Expand,
    Failed,
    Foreign,
    Outcome,
    RetryLater,
    Skipped,
    Succeeded,
    Wait,
)
from celesta_worker.context import NodeContext
from celesta_worker.execute import PreparedPlan, execute, prepare
from celesta_worker.finish import LONGEST, Finished
from celesta_worker.interrupts import NodeInterrupted, SoftTimeout
from celesta_worker.nodes.base import NodeConfig, NodeTypeBase
from tests.contracts.nodes.harness import a_context, a_node, failure, output, run, types

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="untouched")


class AnswerConfig(NodeConfig):
    pass


class Answer(NodeTypeBase[AnswerConfig]):
    """A node type that answers whatever the test wants, or raises it."""

    name = "answer"
    title = "Answer"
    summary = "For tests."
    Config: ClassVar[type[BaseModel]] = AnswerConfig

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def run(self, config: AnswerConfig, context: NodeContext) -> Outcome:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer() if callable(self.answer) else self.answer  # type: ignore[no-any-return]


def answered(answer: Any, **context: Any) -> Finished:
    registry = Registry()
    registry.register(Answer(answer))
    return execute(prepare(a_node("answer", {}), registry), a_context(**context))


@celesta.node("tests.sleep")
async def sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "slept"


@celesta.node("tests.leave")
async def leave() -> None:
    sys.exit(1)


@celesta.node("tests.own_timeout")
async def own_timeout() -> None:
    raise TimeoutError("the bank did not answer")


# --- before the body ---


def test_templates_are_resolved_and_keep_their_type() -> None:
    scope = {"params": {"n": 3, "rows": [1, 2]}}
    config = {"output": {"n": "{{ params.n }}", "rows": "{{ params.rows }}"}}
    assert output(run("transform", config, scope)) == {"n": 3, "rows": [1, 2]}


def test_a_reference_to_nothing_fails_with_its_path_and_is_not_retried() -> None:
    found = failure(run("transform", {"output": {"n": "{{ params.missing }}"}}, {"params": {}}))
    assert not found.retryable
    assert "output" in found.details["path"]


def test_a_false_condition_skips_and_a_true_one_runs() -> None:
    for holds, kind in ((False, Skipped), (True, Succeeded)):
        node = a_node("transform", {"output": 1}, when="params.go")
        finished = execute(prepare(node, types), a_context(scope={"params": {"go": holds}}))
        assert isinstance(finished.outcome, kind)


def test_a_condition_that_is_neither_true_nor_false_fails() -> None:
    node = a_node("transform", {"output": 1}, when="params.go")
    finished = execute(prepare(node, types), a_context(scope={"params": {"go": 1}}))
    assert failure(finished).code == "when_not_bool"


def test_a_resolved_config_that_does_not_fit_fails_with_its_path() -> None:
    found = failure(run("wait", {"for": "{{ params.long }}"}, {"params": {"long": "ages"}}))
    assert (found.code, found.retryable) == ("invalid_config", False)
    assert found.details["errors"][0]["path"] == "with.for"


def test_a_node_type_this_worker_does_not_know_may_be_tried_elsewhere() -> None:
    found = failure(run("nonsense", {}))
    assert (found.code, found.retryable) == ("unknown_node_type", True)


def test_a_config_without_templates_is_validated_once() -> None:
    prepared = prepare(a_node("transform", {"output": [1]}), types)
    assert prepared.config is not None
    assert prepare(a_node("transform", {"output": "{{ params.a }}"}), types).config is None


def test_nodes_of_a_plan_are_prepared_when_they_are_needed_and_once() -> None:
    plan = Plan("tests", (a_node("transform", {"output": 1}), a_node("end", {})), ())
    prepared = PreparedPlan(plan, types)
    assert prepared[1].node.type == "end"
    assert prepared[0] is prepared[0]


# --- the body ---


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (ValueError("no"), "node_failed"),
        (MemoryError(), "node_failed"),
        (GeneratorExit(), "node_failed"),
        (asyncio.CancelledError(), "node_failed"),
        (SystemExit(3), "node_exited"),
        (KeyboardInterrupt(), "node_exited"),
        (BaseException("odd"), "node_failed"),
    ],
)
def test_whatever_the_body_raises_becomes_a_retryable_failure(
    raised: BaseException, code: str
) -> None:
    found = failure(answered(raised))
    assert (found.code, found.retryable) == (code, True)
    assert found.details["type"].endswith(type(raised).__name__)
    assert found.details["fingerprint"]


def test_a_runaway_recursion_is_a_failure() -> None:
    def down() -> Any:
        return down()

    assert failure(answered(down)).details["type"] == "RecursionError"


def test_a_soft_timeout_is_a_failure_and_a_hand_back_passes_through() -> None:
    found = failure(answered(SoftTimeout(), timeout=2.5))
    assert (found.code, found.message) == ("timeout", "the node ran longer than 2.5 s")
    with pytest.raises(NodeInterrupted):
        answered(NodeInterrupted())


def test_the_guard_is_held_during_the_body_and_no_longer() -> None:
    seen: list[str] = []

    @contextmanager
    def guard(_: NodeContext) -> Iterator[None]:
        seen.append("enter")
        try:
            yield
        finally:
            seen.append("leave")

    def body() -> Outcome:
        seen.append("body")
        return Succeeded()

    registry = Registry()
    registry.register(Answer(body))
    execute(prepare(a_node("answer", {}), registry), a_context(), guard=guard)
    assert seen == ["enter", "body", "leave"]


def test_language_time_zone_and_context_variables_end_with_the_node() -> None:
    def body() -> Outcome:
        translation.activate("de")
        timezone.activate("Asia/Tokyo")
        variable.set("changed")
        return Succeeded()

    before = (translation.get_language(), timezone.get_current_timezone_name())
    answered(body)
    after = (translation.get_language(), timezone.get_current_timezone_name())
    assert after == before
    assert variable.get() == "untouched"


# --- async bodies ---


def test_an_async_function_is_awaited() -> None:
    assert output(run("python", {"function": "tests.sleep", "args": {"seconds": 0}})) == "slept"


def test_an_async_body_ends_at_its_timeout() -> None:
    began = time.monotonic()
    config = {"function": "tests.sleep", "args": {"seconds": 60}}
    assert failure(run("python", config, timeout=0.05)).code == "timeout"
    assert time.monotonic() - began < 30


def test_a_timeout_error_of_its_own_is_not_the_nodes_timeout() -> None:
    found = failure(run("python", {"function": "tests.own_timeout"}, timeout=60))
    assert (found.code, found.message) == (
        "node_failed",
        "TimeoutError: the bank did not answer",
    )


def test_sys_exit_in_an_async_body_is_a_failure() -> None:
    assert failure(run("python", {"function": "tests.leave"})).code == "node_exited"


# --- after the body ---


def test_the_output_is_encoded_once_for_the_database() -> None:
    finished = answered(Succeeded({"a": (1, 2)}))
    assert finished.encoded == '{"a":[1,2]}'


@pytest.mark.parametrize(
    ("output", "code"),
    [
        (float("nan"), "result_nan"),
        ("a\0b", "result_nul"),
        (object(), "result_not_json"),
        (2**64, "result_int_too_large"),
        ("x" * 2_000_000, "result_too_large"),
    ],
)
def test_an_output_that_cannot_be_kept_fails_for_good(output: Any, code: str) -> None:
    found = failure(answered(Succeeded(output)))
    assert (found.code, found.retryable) == (code, False)


def test_a_limit_in_the_settings_applies(settings: Any) -> None:
    settings.CELESTA = {"MAX_OUTPUT_BYTES": 10}
    assert failure(answered(Succeeded("x" * 20))).code == "result_too_large"


def test_what_other_outcomes_carry_is_encoded_too() -> None:
    assert answered(Wait(seconds=1, output=[1])).encoded == "[1]"
    assert answered(Expand([1, {"a": 2}])).encoded == '[1,{"a":2}]'
    foreign = answered(Foreign("task", (1,), {"b": 2}))
    assert json.loads(foreign.encoded or "") == {"args": [1], "kwargs": {"b": 2}}
    assert failure(answered(Expand([object()]))).details["path"] == "items[0]"


@pytest.mark.parametrize("delay", [float("nan"), float("inf"), LONGEST * 2])
def test_a_delay_that_no_clock_can_hold_fails(delay: float) -> None:
    assert failure(answered(RetryLater(delay))).code == "delay_out_of_range"
    assert failure(answered(Wait(seconds=delay))).code == "delay_out_of_range"


def test_a_negative_delay_means_now() -> None:
    late = answered(RetryLater(-5, own_limit=True)).outcome
    assert late == RetryLater(0.0, own_limit=True)


def test_waiting_until_a_moment_without_zone_fails() -> None:
    moment = datetime(2030, 1, 1)  # noqa: DTZ001 - that is the point
    assert failure(answered(Wait(until=moment))).code == "wait_without_zone"


def test_a_failure_can_always_be_stored() -> None:
    found = failure(answered(Failed("a\0b", details={"x": object()})))
    assert "\0" not in found.message
    json.dumps(found.details)


def test_an_answer_that_is_no_outcome_fails() -> None:
    assert failure(answered("done")).code == "not_an_outcome"


def test_a_node_type_must_be_able_to_run() -> None:
    with pytest.raises(TypeError, match="run"):

        class Lazy(NodeTypeBase[AnswerConfig]):
            pass
