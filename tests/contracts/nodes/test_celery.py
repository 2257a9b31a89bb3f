"""The node type around in-place running; what happens in place is in tests/unit/worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import celery
import pytest
from celery import Celery

from celesta.runs.outcomes import Foreign
from celesta_worker.execute import execute, prepare
from tests.contracts.nodes.harness import a_context, a_node, failure, output, run, types

team = Celery("tests.celery", broker="memory://", set_as_current=False)


@team.task(name="shop.charge")
def charge(order: int, lines: list[Any] | None = None) -> dict[str, Any]:
    (lines := lines or []).append("charged")
    return {"order": order, "lines": lines}


@team.task(name="shop.odd")
def odd() -> set[int]:
    return {1}


@pytest.fixture(autouse=True)
def app() -> Iterator[None]:
    """The team's own app is current, as in its worker."""
    before = celery.current_app._get_current_object()  # type: ignore[attr-defined]
    team.set_current()
    yield
    before.set_current()


def test_a_registered_task_runs_in_place() -> None:
    found = run(
        "celery",
        {"task": "shop.charge", "kwargs": {"order": "{{ params.id }}"}},
        {"params": {"id": 7}},
    )
    assert output(found) == {"order": 7, "lines": ["charged"]}


def test_a_task_that_is_not_registered_here_is_sent() -> None:
    config = {"task": "far.away", "args": [1], "kwargs": {"a": 2}, "queue": "far", "timeout": "5m"}
    assert run("celery", config).outcome == Foreign(
        "far.away", (1,), {"a": 2}, queue="far", timeout=300.0
    )


def test_a_task_that_must_not_run_in_place_is_sent() -> None:
    found = run("celery", {"task": "shop.charge", "args": [1], "in_place": "never"})
    assert isinstance(found.outcome, Foreign)


@pytest.mark.parametrize(
    ("own", "nodes", "expected"), [("10s", 60.0, 10.0), (None, 60.0, 60.0), (None, None, 3600.0)]
)
def test_a_sent_task_always_has_a_timeout(
    own: str | None, nodes: float | None, expected: float
) -> None:
    config = {"task": "far.away"} | ({"timeout": own} if own else {})
    outcome = run("celery", config, timeout=nodes).outcome
    assert isinstance(outcome, Foreign)
    assert outcome.timeout == expected


def test_what_a_task_does_to_its_arguments_stays_with_that_run() -> None:
    config = {"task": "shop.charge", "args": [1, ["x"]]}
    prepared = prepare(a_node("celery", config), types)
    first, second = (execute(prepared, a_context()) for _ in range(2))
    assert output(first) == output(second) == {"order": 1, "lines": ["x", "charged"]}


def test_a_result_that_is_not_json_fails_the_node() -> None:
    found = failure(run("celery", {"task": "shop.odd"}))
    assert (found.code, found.retryable) == ("result_not_json", False)
