"""Catch-up policies, exact after six hours without anybody to start the slots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from celesta.triggers.catch_up import BATCH, Due, due
from celesta.triggers.recurrence import Recurrence
from celesta.triggers.timing import Timing

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOURLY = Recurrence(Timing(cron="0 * * * *"))


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)


@pytest.mark.parametrize("policy", ["last", "all", "none"])
def test_nothing_is_due_before_its_time(policy: str) -> None:
    assert due(HOURLY, NOON, NOON + seconds(3599), policy) == Due((), NOON)


@pytest.mark.parametrize("policy", ["last", "all", "none"])
def test_a_slot_that_is_merely_late_is_started_under_every_policy(policy: str) -> None:
    slot = NOON + hours(1)
    assert due(HOURLY, NOON, slot + seconds(30), policy) == Due((slot,), slot)


def test_after_six_hours_all_starts_six() -> None:
    slots = tuple(NOON + hours(n) for n in range(1, 7))
    assert due(HOURLY, NOON, NOON + hours(6.5), "all") == Due(slots, slots[-1])


def test_after_six_hours_last_starts_the_newest_only() -> None:
    newest = NOON + hours(6)
    expected = Due((newest,), newest, dropped=NOON + hours(1))
    assert due(HOURLY, NOON, NOON + hours(6.5), "last") == expected
    assert due(HOURLY, NOON, newest + seconds(5), "last") == expected


def test_one_missed_slot_is_the_last_one_and_nothing_was_dropped() -> None:
    newest = NOON + hours(1)
    assert due(HOURLY, NOON, NOON + hours(1.5), "last") == Due((newest,), newest)


def test_after_six_hours_none_starts_nothing_that_was_missed() -> None:
    now, slot = NOON + hours(6.5), NOON + hours(6)
    assert due(HOURLY, NOON, now, "none") == Due((), slot, dropped=NOON + hours(1))
    assert due(HOURLY, NOON, slot + seconds(5), "none") == Due(
        (slot,), slot, dropped=NOON + hours(1)
    )


def test_a_fast_rhythm_loses_nothing_to_a_short_delay() -> None:
    slots = tuple(NOON + seconds(n) for n in (5, 10, 15))
    assert due(Recurrence(Timing(every=5)), NOON, NOON + seconds(17), "last") == Due(
        slots, slots[-1]
    )


def test_catching_up_goes_on_in_batches() -> None:
    todo = due(Recurrence(Timing(every=60)), NOON, NOON + hours(1), "all")
    assert len(todo.slots) == BATCH
    assert todo.more
    assert todo.cursor == NOON + timedelta(minutes=BATCH)


def test_a_year_without_beat_is_not_walked_through_minute_by_minute() -> None:
    began = datetime.now(UTC)
    todo = due(Recurrence(Timing(cron="* * * * *")), NOON - timedelta(days=365), NOON, "last")
    assert todo.slots == (NOON,)
    assert datetime.now(UTC) - began < seconds(5)
