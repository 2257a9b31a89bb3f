"""Timers, deadlines of runs, and what a run that cannot be served does to the others."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from celesta.engine import leader, timers
from celesta.engine.leader import Lead
from celesta.runs import transitions, upkeep
from celesta.runs.calls import Report
from celesta.runs.connection import one, rows
from celesta.runs.models import NodeRun, Run, Timer
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import LEASE, begin, register
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(kind: str = "retry", due: float = 0.0, **start: Any) -> UUID:
    """A run of one node that waits for a timer due in so many seconds."""
    run, _ = begin(publish_plan(plan_of({"a": []}, queues={"a": "qt"})), **start)
    slot = register(("qt",))
    transitions.claim(
        slot, 1, str(run), scope=0, node=0, hint=None, via="task", take=1, lease=LEASE
    )
    output = '{"code":"late","message":"late"}' if kind == "expire" else "5"
    report = Report(0, 0, 1, "waiting", 0.0, 0.0, output, None, kind, due)
    transitions.complete(slot, 1, 1, str(run), [report], lease=LEASE)
    return run


def state(run: UUID) -> str:
    return NodeRun.objects.get(run_id=run, scope=0, node=0).state


def test_a_retry_becomes_ready_and_travels(lead: Lead, sent: list[Any]) -> None:
    run = waiting()
    assert timers.fire_due(lead) == 1
    assert state(run) == "ready"
    lead.publish(1.0)
    assert [message.kwargs["run"] for message in sent] == [str(run)]


def test_a_wait_ends_and_with_it_the_run(lead: Lead) -> None:
    run = waiting("finish")
    assert timers.fire_due(lead) == 1
    assert Run.objects.get(pk=run).state == "succeeded"


def test_a_final_timeout_fails(lead: Lead) -> None:
    run = waiting("expire")
    assert timers.fire_due(lead) == 1
    assert (Run.objects.get(pk=run).error or {})["code"] == "node_failed"


def test_what_is_not_due_waits(lead: Lead) -> None:
    run = waiting(due=60.0)
    assert timers.fire_due(lead) == 0
    assert state(run) == "waiting"


def test_timers_of_a_paused_run_are_held(lead: Lead) -> None:
    # Given a timer that comes due in a paused run
    run = waiting()
    transitions.pause_if_open(run, "test", "")
    # When the leader looks for what is due
    assert timers.fire_due(lead) == 0
    # Then the timer is kept, and is not even read again,
    assert Timer.objects.filter(run_id=run, held=True).count() == 1
    assert upkeep.due_timers(10, []) == []
    # until the run goes on.
    transitions.resume_if_paused(run, "test")
    assert timers.fire_due(lead) == 1
    assert state(run) == "ready"


def test_held_timers_do_not_keep_the_leader_from_others(lead: Lead) -> None:
    # Given more due timers in paused runs than are read at a time, all older than another run's
    paused = [waiting() for _ in range(5)]
    for run in paused:
        transitions.pause_if_open(run, "test", "")
    other = waiting("finish")
    # When they are read two at a time
    for _ in range(3):
        due = upkeep.due_timers(2, [])
        transitions.fire_many({item.run: item.timers for item in due})
    # Then the other run has ended, and nothing is left to be read.
    assert Run.objects.get(pk=other).state == "succeeded"
    assert upkeep.due_timers(2, []) == []


def test_two_leaders_for_a_moment_fire_once(lead: Lead, sent: list[Any]) -> None:
    # Given another leader that has read the same timers
    run = waiting()
    stale = list(Timer.objects.filter(run_id=run).values_list("id", flat=True))
    timers.fire_due(lead)
    # When it fires them later
    fired, again = transitions.fire(run, stale)
    # Then nothing happens
    assert (fired, again) == (0, ())


def test_one_run_that_cannot_be_served_does_not_hold_up_the_others(
    lead: Lead, sent: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    # Given two runs, one of which the database refuses to move
    bad, good = waiting("finish"), waiting("finish")
    rows("UPDATE celesta_timer SET output = '5'::jsonb WHERE run_id = %s::uuid", (bad,))
    rows("INSERT INTO celesta_output (run_id, scope, node) VALUES (%s::uuid, 0, 0)", (bad,))
    # When
    timers.fire_due(lead)
    # Then the other one goes on, the fault is told, and it is left alone for a while
    assert Run.objects.get(pk=good).state == "succeeded"
    assert state(bad) == "waiting"
    assert str(bad) in caplog.text
    assert lead.skipped_runs() == [bad]
    assert timers.fire_due(lead) == 0


@pytest.mark.long  # alone on the machine: it is a matter of seconds
def test_ten_thousand_timers_at_once_fire_within_their_second(lead: Lead) -> None:
    # Given a run each, the worst case: no commit serves two of them by nature
    version = publish_plan(plan_of({"a": []}, queues={"a": "qt"}))
    first, _ = begin(version)
    runs = [uuid7() for _ in range(10_000)]
    rows(
        "INSERT INTO celesta_run SELECT (jsonb_populate_record(r, jsonb_build_object("
        "'id', i, 'state', 'running'))).* FROM celesta_run r, unnest(%s::uuid[]) i"
        " WHERE r.id = %s::uuid",
        (runs, first),
    )
    for node, waits in ((0, "waiting"), (1, "pending")):
        rows(
            "INSERT INTO celesta_node_run (run_id, scope, node, state, attempt, losses)"
            " SELECT i, 0, %s::int, %s::text, 1, 0 FROM unnest(%s::uuid[]) i",
            (node, waits, runs),
        )
    rows(
        "INSERT INTO celesta_timer (run_id, scope, node, attempt, kind, due_at)"
        " SELECT i, 0, 0, 1, 'retry', now() + interval '2 s' FROM unnest(%s::uuid[]) i",
        (runs,),
    )
    (due,) = one("SELECT max(due_at) FROM celesta_timer")
    # (on a busy machine the term may have ended while that was written)
    term = leader.try_lead("test", 4.0, lead.term)
    assert term is not None
    lead = Lead("test", term)
    # When
    fired: list[int] = [0]

    def fire() -> bool:
        fired[0] += timers.fire_due(lead)
        return fired[0] >= len(runs)

    wait_for(fire)
    # Then p95 is 0.5 s on two idle cores, where 10,000 commits would take eight; a busy machine
    # gets some slack.
    p95 = one(
        "SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM ready_at - %s))"
        " FROM celesta_node_run WHERE run_id = ANY (%s::uuid[]) AND node = 0",
        (due, runs),
    )[0]
    print(f"lag of 10,000 timers: p95 {p95:.2f} s")
    assert p95 < 3.0
    rows("DELETE FROM celesta_hint WHERE run_id = ANY (%s::uuid[])", (runs,))


def test_a_run_past_its_deadline_fails(lead: Lead) -> None:
    run = waiting(due=60.0, deadline=0.0)
    assert timers.end_overdue(lead) == 1
    found = Run.objects.get(pk=run)
    assert (found.state, (found.error or {})["code"]) == ("failed", "run_timeout")
    assert state(run) == "cancelled"
    assert not Timer.objects.filter(run_id=run).exists()


def test_the_deadline_of_a_paused_run_stands_still(lead: Lead) -> None:
    run = waiting(due=60.0, deadline=0.0)
    transitions.pause_if_open(run, "test", "")
    assert timers.end_overdue(lead) == 0
    # One that was due before it was paused is due when it goes on.
    transitions.resume_if_paused(run, "test")
    assert timers.end_overdue(lead) == 1
