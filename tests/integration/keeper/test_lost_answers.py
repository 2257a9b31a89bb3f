"""A completion whose answer was lost: carried out once, and what it came to is found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from celesta.runs import transitions
from celesta.runs.calls import Claimed, Report
from celesta.runs.models import Event
from celesta_worker.slots import Slot
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import begin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lose_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Carry out the next completion and lose its answer; then something else may happen."""
    carry_out = transitions.complete

    def lose(then: Callable[[], object] = lambda: None) -> None:
        def lost(*args: Any, **options: Any) -> Any:
            monkeypatch.setattr(transitions, "complete", carry_out)
            carry_out(*args, **options)
            then()
            raise psycopg.OperationalError("the server closed the connection")

        monkeypatch.setattr(transitions, "complete", lost)

    return lose


def waiting(claimed: Claimed) -> Report:
    return Report(claimed.scope, claimed.node, claimed.attempt, "waiting", 0.002, 0.001)


def succeeded(claimed: Claimed) -> Report:
    return Report(claimed.scope, claimed.node, claimed.attempt, "succeeded", 0.002, 0.001, "1")


def started(slot: Slot) -> tuple[str, Claimed]:
    """A run of two nodes in a row, its first claimed."""
    run, _ = begin(publish_plan(plan_of({"a": [], "b": ["a"]}, queues={"b": "elsewhere"})))
    (claimed,) = slot.claim(str(run), 0, 0, None, "task", 1).claimed
    return str(run), claimed


def test_what_was_accepted_goes_on(slot: Slot, lose_answer: Callable[..., None]) -> None:
    run, claimed = started(slot)
    lose_answer()
    completion = slot.complete(run, [succeeded(claimed)], rest=(), keep=1, wave=None)
    assert (completion.answer, completion.refused) == ("going", ())
    assert [(c.scope, c.node) for c in completion.claimed] == [(0, 1)]
    assert Event.objects.filter(run_id=run, kind="succeeded").count() == 1


def test_what_a_cancelled_run_refused_is_refused(
    slot: Slot, lose_answer: Callable[..., None]
) -> None:
    # Else a task of another worker would be sent for a run that is over.
    run, claimed = started(slot)
    transitions.cancel_if_open(UUID(run), "test", {"code": "cancelled"})
    lose_answer()
    completion = slot.complete(run, [waiting(claimed)], rest=(), keep=0, wave=None)
    assert completion.refused == ((0, 0),)


def test_what_was_taken_from_us_meanwhile_is_not_ours(
    slot: Slot, lose_answer: Callable[..., None]
) -> None:
    run, claimed = started(slot)
    lose_answer(lambda: transitions.take_back(slot.id, slot.token, seq=1, begun=0, force=True))
    completion = slot.complete(run, [], rest=[claimed], keep=0, wave=None)
    assert completion.answer == "no_slot"
