"""One-offs, jitter, bounds, pause, and params over the slot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django_celery_beat.models import ClockedSchedule, PeriodicTask

from celesta.runs.models import Run
from celesta.triggers import schedules
from celesta.triggers.errors import ScheduleInvalid
from celesta.triggers.models import Schedule, ScheduleSlot
from tests.integration.triggers.conftest import NOON

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
Make = Callable[..., Schedule]


def started(schedule: Schedule) -> list[datetime]:
    rows = ScheduleSlot.objects.filter(schedule=schedule, state="started")
    return list(rows.order_by("slot").values_list("slot", flat=True))


def test_a_one_off_starts_once_and_beat_forgets_it(schedule: Make) -> None:
    once = schedule(at=NOON)
    (task,) = PeriodicTask.objects.filter(task="celesta.tick")
    assert (task.one_off, task.clocked.clocked_time, task.enabled) == (True, NOON, True)
    key = once.timing.key
    assert schedules.tick(timing=key, now=NOON - SECOND) == 0
    assert schedules.tick(timing=key, now=NOON) == 1
    assert schedules.tick(timing=key, now=NOON + SECOND) == 0
    once.refresh_from_db()
    assert (once.cursor, once.next_at) == (NOON, None)
    task.refresh_from_db()
    assert not task.enabled
    schedules.delete(once)
    assert not ClockedSchedule.objects.exists()


@pytest.mark.parametrize(("policy", "count"), [("last", 1), ("all", 1), ("none", 0)])
def test_a_one_off_that_was_missed_follows_the_policy(
    schedule: Make, policy: str, count: int
) -> None:
    once = schedule(at=NOON, catch_up=policy)
    assert schedules.tick_missed(NOON + 6 * HOUR) == count
    once.refresh_from_db()
    assert once.next_at is None


def test_a_one_off_of_the_past_is_refused(schedule: Make) -> None:
    with pytest.raises(ScheduleInvalid) as caught:
        schedule(at=NOON.replace(year=2020))
    assert [(p.code, p.path) for p in caught.value.problems] == [("never_due", "at")]


def test_slots_keep_within_the_bounds(schedule: Make) -> None:
    bounded = schedule(
        since=NOON, cron="0 * * * *", catch_up="all",
        starts_at=NOON + 2 * HOUR, ends_at=NOON + 4 * HOUR,
    )  # fmt: skip
    assert schedules.tick_missed(NOON + 9 * HOUR) == 3
    assert started(bounded) == [NOON + hour * HOUR for hour in (2, 3, 4)]
    bounded.refresh_from_db()
    assert bounded.next_at is None
    assert schedules.upcoming(bounded, 3)  # by the real clock its time is still to come


def test_jitter_delays_the_start_and_keeps_the_slot(schedule: Make) -> None:
    shaken = schedule(since=NOON, cron="0 * * * *", jitter=600)
    slot = NOON + HOUR
    begins = shaken.recurrence.start_of(slot)
    assert slot < begins < slot + timedelta(seconds=600)
    # Beat ticks at the slot: too early
    assert schedules.tick(timing=shaken.timing.key, now=begins - SECOND) == 0
    # The leader is there for it, without the grace that it grants to beat
    Schedule.objects.filter(pk=shaken.pk).update(next_at=begins)
    assert schedules.tick_missed(begins) == 1
    assert started(shaken) == [slot]
    assert Run.objects.get().slot == slot


def test_what_beats_admin_switched_off_is_not_lost(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *")
    PeriodicTask.objects.update(enabled=False)
    assert schedules.tick_missed(NOON + HOUR + schedules.GRACE) == 1
    assert started(hourly) == [NOON + HOUR]
    PeriodicTask.objects.all().delete()
    assert schedules.tick_missed(NOON + 2 * HOUR + schedules.GRACE) == 1


@pytest.mark.parametrize(("policy", "hours"), [("all", [1, 2, 3]), ("last", [3]), ("none", [])])
def test_a_paused_schedule_starts_nothing_and_then_follows_its_policy(
    schedule: Make, policy: str, hours: list[int]
) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", catch_up=policy)
    schedules.set_paused(hourly, paused=True)
    assert schedules.upcoming(hourly) == []
    assert schedules.tick(schedule_id=hourly.pk, now=NOON + 2 * HOUR) == 0
    assert schedules.tick_missed(NOON + 3 * HOUR) == 0
    assert not ScheduleSlot.objects.exists()
    schedules.set_paused(hourly, paused=False)
    assert schedules.tick_missed(NOON + 3.5 * HOUR) == len(hours)
    assert started(hourly) == [NOON + hour * HOUR for hour in hours]


def test_params_read_the_slot(schedule: Make) -> None:
    daily = schedule(
        since=NOON, cron="0 1 * * *", timezone="Europe/Berlin",
        params={"day": "{{ slot.since_date }} to {{ slot.date }}"},
    )  # fmt: skip
    slot = NOON + 11 * HOUR  # 23:00 UTC is 01:00 of the next day in Berlin
    assert schedules.tick(schedule_id=daily.pk, now=slot) == 1
    run = Run.objects.get()
    assert run.params == {"day": "2030-06-01 to 2030-06-02"}
    assert (run.slot, run.slot_from) == (slot, slot - 24 * HOUR)


def test_params_that_read_what_is_not_there_are_refused(schedule: Make) -> None:
    with pytest.raises(ScheduleInvalid) as caught:
        schedule(every=60, params={"day": "{{ slot.moon }}"})
    (problem,) = caught.value.problems
    assert (problem.code, problem.path) == ("unresolved_reference", "params.day")
    assert "slot.since" in problem.hint
