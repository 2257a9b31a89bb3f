"""Slots whose lease has ended, and cancellations that stopped half-way."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import pytest

from celesta.engine import recovery
from celesta.engine.leader import Lead
from celesta.runs import connection, transitions, upkeep
from celesta.runs.calls import Report
from celesta.runs.connection import rows
from celesta.runs.models import Event, NodeRun, Run
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import LEASE, begin, register

pytestmark = pytest.mark.django_db(transaction=True)


def running(losses: int = 0) -> tuple[UUID, int]:
    """A run whose only node runs on a slot, and the slot."""
    run, _ = begin(publish_plan(plan_of({"a": []}, queues={"a": "qr"})))
    slot = register(("elsewhere",))
    transitions.claim(
        slot, 1, str(run), scope=0, node=0, hint=None, via="task", take=1, lease=LEASE
    )
    rows("UPDATE celesta_node_run SET losses = %s::int WHERE run_id = %s::uuid AND node = 0",
         (losses, run))  # fmt: skip
    return run, slot


def lapse(slot: int, seconds: float) -> None:
    rows(
        "UPDATE celesta_slot SET lease_until = now() - make_interval(secs => %s::float8)"
        " WHERE id = %s::bigint",
        (seconds, slot),
    )


def test_a_lapsed_lease_gives_the_node_to_others(lead: Lead, sent: list[Any]) -> None:
    run, slot = running()
    lapse(slot, 2.0)
    assert recovery.take_back_expired(lead) == 1
    row = NodeRun.objects.get(run_id=run, node=0)
    assert (row.state, row.attempt, row.losses, row.token) == ("ready", 1, 1, None)
    assert Event.objects.filter(run_id=run, kind="lost").count() == 1
    lead.publish(1.0)
    assert [message.kwargs["run"] for message in sent] == [str(run)]


def test_a_lease_that_ended_just_now_is_left_to_the_keeper(lead: Lead) -> None:
    _, slot = running()
    lapse(slot, 0.5)
    assert recovery.take_back_expired(lead) == 0


def test_a_late_result_is_refused_and_recorded(lead: Lead, sent: list[Any]) -> None:
    run, slot = running()
    lapse(slot, 2.0)
    recovery.take_back_expired(lead)
    answer = transitions.complete(
        slot, 1, 1, str(run), [Report(0, 0, 1, "succeeded", 0.0, 0.0)], lease=LEASE
    )
    assert answer.answer == "no_slot"
    assert NodeRun.objects.get(run_id=run, node=0).state == "ready"
    assert Event.objects.filter(run_id=run, kind="refused").count() == 1


def test_a_lost_slot_cannot_claim(lead: Lead, sent: list[Any]) -> None:
    _, slot = running()
    lapse(slot, 2.0)
    recovery.take_back_expired(lead)
    other, _ = begin(publish_plan(plan_of({"a": []}, queues={"a": "qr"})))
    found = transitions.claim(
        slot, 2, str(other), scope=0, node=0, hint=None, via="task", take=1, lease=LEASE
    )
    assert found.answer == "no_slot"


def test_a_slot_that_still_holds_something_cannot_claim() -> None:
    # Else the rows it holds would be nobody's, for ever.
    run, slot = running()
    other, _ = begin(publish_plan(plan_of({"a": []}, queues={"a": "qr"})))
    found = transitions.claim(
        slot, 2, str(other), scope=0, node=0, hint=None, via="task", take=1, lease=LEASE
    )
    assert found.answer == "no_slot"
    held = upkeep.slot(slot)
    assert held
    assert (held.run, held.held) == (str(run), ((0, 0),))


def test_another_slots_token_takes_nothing_back() -> None:
    run, slot = running()
    assert transitions.take_back(slot, 2, force=True) == (0, ())
    assert transitions.take_back(slot, 1) == (0, ())  # its lease lasts
    assert NodeRun.objects.get(run_id=run, node=0).state == "running"


def test_a_node_lost_too_often_is_given_up(lead: Lead) -> None:
    run, slot = running(losses=2)
    lapse(slot, 2.0)
    recovery.take_back_expired(lead)
    found = Run.objects.get(pk=run)
    error = found.error or {}
    assert (found.state, error["node"]) == ("failed", "a")
    assert "died 3 times" in error["message"]


def test_nothing_travels_again_in_a_run_that_is_over(lead: Lead) -> None:
    run, slot = running()
    transitions.cancel_if_open(run, "test", {"code": "cancelled"})
    lapse(slot, 2.0)
    recovery.take_back_expired(lead)
    assert NodeRun.objects.get(run_id=run, node=0).state == "running"  # the sweep's
    assert not Event.objects.filter(run_id=run, kind="lost").exists()
    row = upkeep.slot(slot)
    assert row
    assert row.token is None


def test_a_cancellation_that_stopped_half_way_is_finished(lead: Lead) -> None:
    # Given a run whose canceller died after the first half
    run, _ = running()
    transitions.cancel_if_open(run, "test", {"code": "cancelled"})
    # When the leader sees it for the second time (the canceller may be about to go on)
    seen = recovery.finish_cancelling(lead, set())
    assert Run.objects.get(pk=run).state == "cancelling"
    recovery.finish_cancelling(lead, seen)
    # Then
    assert Run.objects.get(pk=run).state == "cancelled"
    assert not NodeRun.objects.filter(run_id=run).exclude(state="cancelled").exists()


def test_cancelling_does_not_wait_for_a_run_that_slots_work_on() -> None:
    # Given a completion under way, which holds the run's row as completions do
    run, _ = running()
    with psycopg.connect(**connection.parameters()) as other:
        other.execute("SELECT 1 FROM celesta_run WHERE id = %s FOR KEY SHARE", (run,))
        # When, Then
        rows("SET lock_timeout = '2s'")
        assert transitions.cancel_if_open(run, "test", {"code": "cancelled"}) == "running"
