"""One leader at a time, by the database's clock."""

from __future__ import annotations

import time

import pytest

from celesta.engine import leader
from celesta.engine.leader import Lead, LeadLost
from celesta.runs import upkeep
from celesta.runs.connection import rows
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def expire() -> None:
    rows("UPDATE celesta_leader SET until = clock_timestamp() - interval '1 ms'")


def test_the_first_leads_and_the_second_does_not() -> None:
    assert leader.try_lead("one", 4.0) == 1
    assert leader.try_lead("two", 4.0) is None
    assert leader.leads("one", 1)
    assert not leader.leads("two", 1)


def test_a_leader_goes_on_with_its_term() -> None:
    term = leader.try_lead("one", 0.2)
    assert leader.try_lead("one", 30.0, term) == term
    assert leader.seconds_left() > 20


def test_the_end_of_a_term_begins_another() -> None:
    first = leader.try_lead("one", 4.0)
    expire()
    assert leader.try_lead("two", 4.0) == 2
    # Given another leads since, the first one cannot go on
    assert leader.try_lead("one", 4.0, first) is None
    assert first is not None
    assert not leader.leads("one", first)


def test_a_term_that_ran_out_is_not_gone_on_with() -> None:
    first = leader.try_lead("one", 4.0)
    expire()
    assert leader.try_lead("one", 4.0, first) == 2


def test_a_new_process_under_an_old_name_waits_for_the_end_of_the_term() -> None:
    leader.try_lead("one", 4.0)
    assert leader.try_lead("one", 4.0) is None


def test_who_resigns_is_followed_at_once() -> None:
    term = leader.try_lead("one", 30.0)
    assert term is not None
    assert not leader.resign("two", term)
    assert leader.resign("one", term)
    assert leader.try_lead("two", 4.0) == 2


def test_the_row_is_made_when_it_is_missing() -> None:
    rows("DELETE FROM celesta_leader")
    assert leader.seconds_left() == 0.0
    assert leader.try_lead("one", 4.0) == 1


def test_a_dead_leader_is_followed_within_its_term() -> None:
    # Given a leader that does nothing any more, When another one tries as keepers do
    leader.try_lead("one", 0.5)
    began = time.monotonic()
    wait_for(lambda: leader.try_lead("two", 4.0))
    # Then it leads when the term has ended, and not before
    assert time.monotonic() - began > 0.3


def test_duties_go_on_with_the_term_before_it_ends(lead: Lead) -> None:
    rows("UPDATE celesta_leader SET until = clock_timestamp() + interval '2 s'")
    lead.confirm()  # too early: the last word is fresh
    assert leader.seconds_left() < 3
    lead._confirmed -= 2.0
    lead.confirm()
    assert leader.seconds_left() > 3


def test_duties_stop_when_the_lead_is_lost(lead: Lead) -> None:
    expire()
    assert leader.try_lead("another", 4.0)
    lead._confirmed -= 2.0
    with pytest.raises(LeadLost):
        lead.confirm()


def test_duties_stop_when_the_term_ran_out_meanwhile(lead: Lead) -> None:
    # Somebody might have led and gone: what this one knows is old.
    expire()
    lead._confirmed -= 2.0
    with pytest.raises(LeadLost):
        lead.confirm()
    assert leader.try_lead("another", 4.0)


def test_an_item_that_fails_is_left_out_for_a_while(
    lead: Lead, caplog: pytest.LogCaptureFixture
) -> None:
    lead.guard(7, lambda: 1 / 0)
    assert lead.skipped_slots() == [7]
    assert lead.skipped_runs() == []
    assert "ZeroDivisionError" in caplog.text
    lead._quarantine[7] = time.monotonic()
    assert lead.skipped_slots() == []


def test_a_stale_leader_sends_nothing_again(lead: Lead) -> None:
    # Given a hint that would be lost, and another leader since
    rows("UPDATE celesta_leader SET holder = 'another', term = term + 1")
    found = upkeep.resend_lost_hints(lead.holder, lead.term, after=0.0, backstop=0.0, limit=10)
    assert found == []
