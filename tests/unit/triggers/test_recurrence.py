"""Bounds and jitter: every slot once, in order, and the same for all who ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from celesta.triggers.recurrence import Recurrence
from celesta.triggers.timing import Timing

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_bounds_are_included() -> None:
    rhythm = Recurrence(Timing(cron="0 * * * *"), NOON, NOON + 2 * HOUR)
    found = list(rhythm.slots(NOON - 9 * HOUR, NOON + 9 * HOUR))
    assert found == [NOON, NOON + HOUR, NOON + 2 * HOUR]
    assert rhythm.after(NOON + 2 * HOUR) is None


def test_a_one_off_is_over_after_its_time() -> None:
    rhythm = Recurrence(Timing(at=NOON))
    assert rhythm.after(NOON - HOUR) == NOON
    assert rhythm.after(NOON) is None


@settings(max_examples=60, deadline=None)
@given(
    every=st.integers(1, 7200),
    jitter=st.integers(1, 86_400),
    seed=st.text(max_size=5),
    minutes=st.integers(0, 10**6),
)
def test_jitter_never_reaches_the_next_slot(
    every: int, jitter: int, seed: str, minutes: int
) -> None:
    rhythm = Recurrence(Timing(every=every), jitter=jitter, seed=seed)
    begin = NOON + timedelta(minutes=minutes)
    slots = list(rhythm.slots(begin, begin + timedelta(seconds=20 * every)))
    assert slots
    for slot, following in pairwise(slots):
        start = rhythm.start_of(slot)
        assert slot <= start < min(following, slot + timedelta(seconds=jitter))
        assert start == Recurrence(Timing(every=every), jitter=jitter, seed=seed).start_of(slot)


def test_schedules_of_one_timing_do_not_start_together() -> None:
    daily = Timing(cron="0 0 * * *")
    starts = {Recurrence(daily, jitter=3600, seed=str(n)).start_of(NOON) for n in range(200)}
    assert len(starts) == 200
    seconds = sorted((start - NOON).total_seconds() for start in starts)
    assert seconds[20] < 720  # spread over the hour, not heaped
    assert seconds[-20] > 2880


def test_the_slot_before_is_where_the_data_begin() -> None:
    assert Recurrence(Timing(cron="0 0 * * *")).before(NOON - 12 * HOUR) == NOON - 36 * HOUR
    first = Recurrence(Timing(every=3600), starts_at=NOON)
    assert first.before(NOON) == NOON - HOUR
    leap = Recurrence(Timing(cron="0 0 29 2 *"))
    before = leap.before(datetime(2028, 2, 29, tzinfo=UTC))
    assert before == datetime(2024, 2, 29, tzinfo=UTC)
    assert Recurrence(Timing(at=NOON)).before(NOON) == NOON
