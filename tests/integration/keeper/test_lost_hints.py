"""A message is sent again when it was lost, and only then."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from celesta.engine import canvas, recovery
from celesta.engine.leader import Lead
from celesta.runs import transitions, upkeep
from celesta.runs.connection import rows
from celesta.runs.models import Hint
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import LEASE, begin, register

pytestmark = pytest.mark.django_db(transaction=True)


def released(ago: float, *, queue: str = "q", sends: int = 1, nodes: int = 1) -> str:
    """A run whose first wave was released so many seconds ago; nothing of it has arrived."""
    names = [f"n{i}" for i in range(nodes)]
    edges: dict[str, list[str]] = {name: [] for name in names}
    run, _ = begin(publish_plan(plan_of(edges, queues=dict.fromkeys(names, queue))))
    rows(
        "UPDATE celesta_hint SET released_at = now() - make_interval(secs => %s::float8),"
        " sent_at = now() - make_interval(secs => %s::float8), sends = %s::int"
        " WHERE run_id = %s::uuid",
        (ago, ago, sends, run),
    )
    return str(run)


def slot(queue: str = "q", *, idle: float | None = None, live: bool = True) -> int:
    """A slot, idle for so many seconds, or busy."""
    number = register((queue,))
    rows(
        "UPDATE celesta_slot SET idle_since = now() - make_interval(secs => %s::float8),"
        " lease_until = now() + make_interval(secs => %s::float8) WHERE id = %s::bigint",
        (idle, 30.0 if live else -1.0, number),
    )
    return number


def claim(number: int, run: str) -> None:
    """The message of that run's first node arrives at the slot."""
    found = transitions.claim(
        number, 1, run, scope=0, node=0, hint=None, via="task", take=1, lease=LEASE
    )
    assert found.answer == "claimed"


def resend(lead: Lead) -> int:
    return recovery.resend_lost(lead)


def test_backlog_is_left_alone(lead: Lead, sent: list[Any]) -> None:
    # Given a busy slot and messages that have waited for five minutes
    slot()
    released(300.0)
    assert resend(lead) == 0


def test_without_any_slot_a_message_waits(lead: Lead, sent: list[Any]) -> None:
    released(86400.0)
    assert resend(lead) == 0


def test_an_idle_slot_proves_a_loss(lead: Lead, sent: list[Any]) -> None:
    slot(idle=2.0)
    run = released(6.0)
    # When
    assert resend(lead) == 1
    # Then it travels once more, as a plain task, and counts as sent now
    (message,) = sent
    assert message.kwargs["run"] == run
    assert (message.kwargs["scope"], message.kwargs["node"]) == (0, 0)
    assert message.options["queue"] == "q"
    assert resend(lead) == 0
    assert Hint.objects.get(run_id=run).sends == 2


@pytest.mark.parametrize(
    ("released_ago", "idle"),
    [
        pytest.param(4.0, 60.0, id="the message is young"),
        pytest.param(60.0, 0.5, id="the slot became idle just now"),
    ],
)
def test_an_idle_slot_proves_nothing_yet(
    lead: Lead, sent: list[Any], released_ago: float, idle: float
) -> None:
    slot(idle=idle)
    released(released_ago)
    assert resend(lead) == 0


def test_slots_of_other_queues_and_dead_slots_prove_nothing(lead: Lead, sent: list[Any]) -> None:
    slot("another", idle=60.0)
    slot("q", idle=60.0, live=False)
    released(60.0)
    assert resend(lead) == 0


def test_idle_slots_that_do_not_answer_are_asked_less_and_less(lead: Lead, sent: list[Any]) -> None:
    slot(idle=600.0)
    run = released(6.0, sends=5)
    assert resend(lead) == 1  # a busy worker may have kept those before: they go at the same pace
    rows("UPDATE celesta_hint SET sent_at = now() - interval '9 s' WHERE run_id = %s::uuid", (run,))
    assert resend(lead) == 0  # sent six times: 10 s
    rows(
        "UPDATE celesta_hint SET sent_at = now() - interval '11 s' WHERE run_id = %s::uuid", (run,)
    )
    assert resend(lead) == 1
    rows("UPDATE celesta_hint SET sends = 90, sent_at = now() - interval '61 s'")
    assert resend(lead) == 1  # but never less than once a minute


def test_a_later_message_that_arrived_proves_a_loss(lead: Lead, sent: list[Any]) -> None:
    # Given two messages of one queue; the one sent 6 s later arrives, at a slot that is busy since
    early, late = released(60.0), released(54.0)
    claim(slot(), late)
    # When, Then
    assert resend(lead) == 1
    assert sent[0].kwargs["run"] == early


def test_a_message_sent_at_about_the_same_time_proves_nothing(lead: Lead, sent: list[Any]) -> None:
    released(60.0)
    claim(slot(), released(56.0))
    assert resend(lead) == 0


def test_other_queues_and_priorities_prove_nothing(lead: Lead, sent: list[Any]) -> None:
    released(60.0)
    claim(slot("other"), released(10.0, queue="other"))
    urgent = released(10.0)
    rows("UPDATE celesta_hint SET priority = 9 WHERE run_id = %s::uuid", (urgent,))
    claim(slot(), urgent)
    assert resend(lead) == 0


def test_a_message_sent_twice_proves_what_its_first_sending_proves(
    lead: Lead, sent: list[Any]
) -> None:
    # Given an honest backlog, whose oldest message was sent again a moment ago. Nobody knows which
    # of the two arrived: were it taken for the second one, all the backlog would count as lost.
    oldest = released(300.0, sends=2)
    rows("UPDATE celesta_hint SET sent_at = now() WHERE run_id = %s::uuid", (oldest,))
    released(200.0)
    claim(slot(), oldest)
    assert resend(lead) == 0


def test_after_ten_minutes_it_is_sent_again_in_any_case(lead: Lead, sent: list[Any]) -> None:
    slot()
    run = released(601.0)
    assert resend(lead) == 1
    rows(
        "UPDATE celesta_hint SET sent_at = now() - interval '601 s' WHERE run_id = %s::uuid", (run,)
    )
    assert resend(lead) == 0  # and then after twenty


def test_lanes_travel_again_by_their_hint(lead: Lead, sent: list[Any]) -> None:
    slot(idle=60.0)
    run = released(60.0, nodes=5)
    hints = set(Hint.objects.filter(run_id=run).values_list("id", flat=True))
    assert resend(lead) == len(hints) > 1
    assert {message.kwargs["hint"] for message in sent} == hints


@pytest.mark.parametrize("state", ["paused", "cancelling"])
def test_runs_that_do_not_move_are_not_sent_again(lead: Lead, sent: list[Any], state: str) -> None:
    slot(idle=60.0)
    run = released(60.0)
    rows("UPDATE celesta_run SET state = %s::text WHERE id = %s::uuid", (state, run))
    assert resend(lead) == 0


def test_an_hour_of_backlog_is_not_flooded(lead: Lead, sent: list[Any]) -> None:
    # Given a hundred messages, half a minute apart, and one busy slot that answers them in turn
    runs = [released(30.0 * (100 - i)) for i in range(100)]
    rows("UPDATE celesta_hint SET sends = 4")  # so that the backstop is far
    busy = slot()
    for run in runs[:50]:
        rows("UPDATE celesta_slot SET token = NULL WHERE id = %s::bigint", (busy,))
        claim(busy, run)
        assert resend(lead) == 0
    # When the broker loses all of them, and one sent later arrives
    rows("UPDATE celesta_slot SET token = NULL WHERE id = %s::bigint", (busy,))
    claim(busy, released(0.0))
    # Then the rest is sent again, once
    assert resend(lead) == 50
    assert resend(lead) == 0


def test_nothing_is_marked_as_sent_while_the_broker_is_known_to_be_away(
    lead: Lead, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    slot(idle=60.0)
    run = released(60.0)
    monkeypatch.setattr(canvas, "is_closed", lambda: True)
    assert resend(lead) == 0
    assert Hint.objects.get(run_id=run).sends == 1


def test_what_ended_runs_left_behind_is_cleared(lead: Lead) -> None:
    over, open_run = released(1.0), released(1.0)
    rows(
        "UPDATE celesta_run SET state = 'cancelled', finished_at = now() WHERE id = %s::uuid",
        (over,),
    )
    recovery.tidy(lead)
    assert set(Hint.objects.values_list("run_id", flat=True)) == {UUID(open_run)}


def test_dead_slots_are_forgotten_after_an_hour(lead: Lead) -> None:
    fresh, old = slot(live=False), slot(live=False)
    rows(
        "UPDATE celesta_slot SET lease_until = now() - interval '61 min' WHERE id = %s::bigint",
        (old,),
    )
    recovery.tidy(lead)
    assert upkeep.slot(fresh)
    assert upkeep.slot(old) is None
