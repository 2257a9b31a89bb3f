"""Ticks: one run per slot, whoever ticks, how often, and after whatever pause."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from celesta.runs.models import Run
from celesta.triggers import schedules
from celesta.triggers.models import Schedule, ScheduleSlot
from celesta.workflows.activation import set_active
from celesta.workflows.models import Workflow, WorkflowVersion
from tests.integration.triggers.conftest import NOON

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
Make = Callable[..., Schedule]


def slots(schedule: Schedule) -> list[object]:
    rows = ScheduleSlot.objects.filter(schedule=schedule, run_id__isnull=False)
    return list(rows.order_by("slot").values_list("slot", flat=True))


def test_a_tick_starts_what_is_due_once(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *")
    due = NOON + HOUR
    assert schedules.tick(timing="cron:0 * * * *@UTC", now=due - SECOND) == 0
    assert schedules.tick(timing="cron:0 * * * *@UTC", now=due) == 1
    assert schedules.tick(timing="cron:0 * * * *@UTC", now=due + SECOND) == 0
    run = Run.objects.get()
    assert (run.trigger, run.trigger_ref) == ("schedule", "daily")
    assert run.params == {"day": "mon"}
    assert run.idempotency_key == f"schedule:{hourly.pk}:{due.isoformat()}"
    assert run.version == hourly.workflow.current
    hourly.refresh_from_db()
    assert (hourly.cursor, hourly.next_at) == (due, due + HOUR)
    assert ScheduleSlot.objects.get().run_id == run.pk


def test_a_tick_is_about_its_own_timing(schedule: Make) -> None:
    schedule(since=NOON, cron="0 * * * *")
    other = schedule(since=NOON, name="other", every=3600)
    assert schedules.tick(timing="every:3600", now=NOON + HOUR) == 1
    assert slots(other) == [NOON + HOUR]
    assert schedules.tick(timing="cron:0 * * * *@Europe/Berlin", now=NOON + HOUR) == 0


def test_a_replayed_tick_with_an_old_cursor_starts_nothing_twice(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *")
    schedules.tick(schedule_id=hourly.pk, now=NOON + HOUR)
    Schedule.objects.filter(pk=hourly.pk).update(cursor=NOON, next_at=NOON + HOUR)
    assert schedules.tick(schedule_id=hourly.pk, now=NOON + HOUR + SECOND) == 0
    assert Run.objects.count() == 1
    hourly.refresh_from_db()
    assert hourly.cursor == NOON + HOUR


def test_a_slot_whose_row_was_lost_finds_its_run_again(schedule: Make) -> None:
    """The run carries the slot in its idempotency key, so that two records would have to fail."""
    hourly = schedule(since=NOON, cron="0 * * * *")
    schedules.tick(schedule_id=hourly.pk, now=NOON + HOUR)
    run = Run.objects.get()
    ScheduleSlot.objects.all().delete()
    Schedule.objects.filter(pk=hourly.pk).update(cursor=NOON, next_at=NOON + HOUR)
    schedules.tick(schedule_id=hourly.pk, now=NOON + HOUR)
    assert Run.objects.count() == 1
    assert ScheduleSlot.objects.get().run_id == run.pk


@pytest.mark.django_db(transaction=True)
def test_many_ticks_at_once_start_each_slot_once(schedule: Make) -> None:
    rows = [
        schedule(since=NOON, name=f"s{i}", every=60, catch_up=Schedule.CatchUp.ALL)
        for i in range(3)
    ]
    now, ticks = NOON + timedelta(minutes=10), 6
    barrier = Barrier(ticks)

    def tick(number: int) -> int:
        barrier.wait(timeout=60)
        try:
            if number % 2:
                return schedules.tick(timing="every:60", now=now)
            return schedules.tick_missed(now)
        finally:
            connection.close()

    with ThreadPoolExecutor(ticks) as pool:
        started = sum(pool.map(tick, range(ticks), timeout=60))
    assert started == 30
    assert Run.objects.count() == 30
    expected = [NOON + timedelta(minutes=m) for m in range(1, 11)]
    assert all(slots(row) == expected for row in rows)


@pytest.mark.parametrize(
    ("policy", "hours"), [("all", [1, 2, 3, 4, 5, 6]), ("last", [6]), ("none", [])]
)
def test_six_hours_without_beat(schedule: Make, policy: str, hours: list[int]) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", catch_up=policy)
    now = NOON + 6.5 * HOUR
    assert schedules.tick(schedule_id=hourly.pk, now=now) == len(hours)
    assert slots(hourly) == [NOON + h * HOUR for h in hours]
    assert schedules.tick(schedule_id=hourly.pk, now=now) == 0
    hourly.refresh_from_db()
    assert hourly.next_at == NOON + 7 * HOUR
    missed = list(ScheduleSlot.objects.filter(state="missed"))
    assert [row.slot for row in missed] == ([] if policy == "all" else [NOON + HOUR])
    assert all(f"(catch_up: {policy})" in row.note for row in missed)
    if policy == "last":
        assert "missed" in ScheduleSlot.objects.get(state="started").note


def test_catching_up_all_starts_no_more_than_its_limit_the_newest(schedule: Make) -> None:
    fast = schedule(since=NOON, every=60, catch_up="all", catch_up_limit=30)
    now = NOON + 6 * HOUR  # 360 slots, of which the newest two are not missed but late
    assert schedules.tick(schedule_id=fast.pk, now=now + 30 * SECOND) == 31
    assert slots(fast) == [now - timedelta(minutes=m) for m in range(30, -1, -1)]
    assert ScheduleSlot.objects.get(state="missed").slot == NOON + timedelta(minutes=1)


def test_catching_up_goes_through_more_than_a_batch(schedule: Make) -> None:
    fast = schedule(since=NOON, every=60, catch_up="all")
    assert schedules.tick(schedule_id=fast.pk, now=NOON + timedelta(minutes=50)) == 50
    assert len(slots(fast)) == 50


def test_the_leader_only_takes_what_beat_missed(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *")
    due = NOON + HOUR
    assert schedules.tick_missed(due + schedules.GRACE - SECOND) == 0
    assert schedules.tick_missed(due + schedules.GRACE) == 1
    assert slots(hourly) == [due]


def test_a_disabled_schedule_is_not_due(schedule: Make) -> None:
    off = schedule(cron="0 * * * *", enabled=False)
    assert off.next_at is None
    assert schedules.tick(schedule_id=off.pk, now=NOON) == 0


def test_a_refused_start_is_recorded_and_the_next_slot_tried(
    schedule: Make, version: WorkflowVersion
) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *")
    set_active(version.workflow, active=False)
    assert schedules.tick(schedule_id=hourly.pk, now=NOON + HOUR) == 0
    hourly.refresh_from_db()
    assert hourly.last_error.startswith("workflow_inactive: ")
    assert ScheduleSlot.objects.get().note == hourly.last_error
    assert not Run.objects.exists()
    set_active(version.workflow, active=True)
    assert schedules.tick(schedule_id=hourly.pk, now=NOON + 2 * HOUR) == 1
    hourly.refresh_from_db()
    assert hourly.last_error == ""


def test_params_that_no_longer_fit_are_told(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *")
    Schedule.objects.filter(pk=hourly.pk).update(params={})
    schedules.tick(schedule_id=hourly.pk, now=NOON + HOUR)
    hourly.refresh_from_db()
    assert hourly.last_error.startswith("invalid_params: ")
    assert "params.day" in hourly.last_error


def test_a_workflow_that_is_not_published_is_told(schedule: Make, version: WorkflowVersion) -> None:
    draft = Workflow.objects.create(workspace=version.workflow.workspace, name="only.draft")
    hourly = schedule(since=NOON, cron="0 * * * *", workflow=draft, params={})
    schedules.tick(schedule_id=hourly.pk, now=NOON + HOUR)
    hourly.refresh_from_db()
    assert hourly.last_error.startswith("not_published: ")


def test_one_broken_schedule_does_not_stop_the_others(schedule: Make) -> None:
    broken = schedule(since=NOON, cron="0 * * * *")
    fine = schedule(since=NOON, name="fine", cron="0 * * * *")
    Schedule.objects.filter(pk=broken.pk).update(cron="never ever", timezone="Mars/Base")
    assert schedules.tick_missed(NOON + 2 * HOUR) == 1
    broken.refresh_from_db()
    assert "this has 2" in broken.last_error
    assert broken.next_at is None
    assert len(slots(fine)) == 1


def test_slots_across_a_change_of_the_clock(schedule: Make) -> None:
    from datetime import UTC, datetime

    night = schedule(
        since=datetime(2030, 3, 29, 12, tzinfo=UTC), cron="30 2 * * *", timezone="Europe/Berlin",
        catch_up="all",
    )  # fmt: skip
    schedules.tick(schedule_id=night.pk, now=datetime(2030, 4, 1, 12, tzinfo=UTC))
    assert slots(night) == [
        datetime(2030, 3, 30, 1, 30, tzinfo=UTC),
        datetime(2030, 3, 31, 1, 0, tzinfo=UTC),  # 02:30 does not exist: right after the gap
        datetime(2030, 4, 1, 0, 30, tzinfo=UTC),
    ]


def test_a_message_with_a_strange_timing_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a timing"):
        schedules.tick(timing="hello")


def test_the_clock_is_the_databases(schedule: Make) -> None:
    minutely = schedule(cron="* * * * *")
    before = schedules.database_now()
    assert minutely.cursor is not None
    assert minutely.next_at is not None
    assert before - minutely.cursor < timedelta(seconds=30)
    assert timedelta(0) < minutely.next_at - minutely.cursor <= timedelta(minutes=1)
    assert schedules.tick() == 0  # nothing was due before it was made
