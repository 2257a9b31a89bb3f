"""Overlap policies: what a slot does while a run of the schedule has not ended."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from celesta.access.principals import SYSTEM
from celesta.engine.cancellation import cancel_run
from celesta.runs.models import Run
from celesta.triggers import schedules
from celesta.triggers.models import Schedule, ScheduleSlot
from celesta.workflows.models import WorkflowVersion
from tests.integration.triggers.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
Make = Callable[..., Schedule]


def tick(schedule: Schedule, hour: int) -> int:
    return schedules.tick(schedule_id=schedule.pk, now=NOON + hour * HOUR)


def states(schedule: Schedule) -> dict[int, str]:
    rows = ScheduleSlot.objects.filter(schedule=schedule, origin="schedule")
    return {int((row.slot - NOON) / HOUR): row.state for row in rows}


def run_at(schedule: Schedule, hour: int) -> Any:
    return ScheduleSlot.objects.get(schedule=schedule, slot=NOON + hour * HOUR).run_id


def end(run: Any) -> None:
    cancel_run(run, by="test")


def test_allow_starts_beside_the_others(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", overlap="allow")
    assert [tick(hourly, hour) for hour in (1, 2)] == [1, 1]
    assert Run.objects.filter(finished_at=None).count() == 2


def test_skip_leaves_out_slots_until_the_run_has_ended(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", overlap="skip")
    assert [tick(hourly, hour) for hour in (1, 2)] == [1, 0]
    first = run_at(hourly, 1)
    skipped = ScheduleSlot.objects.get(slot=NOON + 2 * HOUR)
    assert (skipped.state, skipped.run_id) == ("skipped", None)
    assert str(first) in skipped.note
    end(first)
    assert tick(hourly, 3) == 1
    assert states(hourly) == {1: "started", 2: "skipped", 3: "started"}


def test_skip_after_six_hours_without_beat_starts_the_first_of_them(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", overlap="skip", catch_up="all")
    assert tick(hourly, 6) == 1
    assert states(hourly) == {1: "started", **dict.fromkeys(range(2, 7), "skipped")}


def test_queue_starts_one_after_the_other_in_order(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", overlap="queue", catch_up="all")
    assert tick(hourly, 3) == 1
    assert states(hourly) == {1: "started", 2: "queued", 3: "queued"}
    assert schedules.start_queued() == 0  # the first has not ended
    end(run_at(hourly, 1))
    assert [schedules.start_queued(), schedules.start_queued()] == [1, 0]
    assert states(hourly) == {1: "started", 2: "started", 3: "queued"}
    # And a slot that is due goes behind those in line, also when no run is open
    end(run_at(hourly, 2))
    assert tick(hourly, 4) == 1
    assert states(hourly) == {1: "started", 2: "started", 3: "started", 4: "queued"}
    run = Run.objects.get(pk=run_at(hourly, 3))
    assert (run.slot, run.slot_from) == (NOON + 3 * HOUR, NOON + 2 * HOUR)


def test_a_full_queue_skips(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", overlap="queue", queue_limit=2, catch_up="all")
    tick(hourly, 5)
    expected = {1: "started", 2: "queued", 3: "queued", 4: "skipped", 5: "skipped"}
    assert states(hourly) == expected
    assert "2 slots were waiting" in ScheduleSlot.objects.get(slot=NOON + 5 * HOUR).note


def test_the_line_waits_while_the_schedule_is_paused_and_goes_when_it_is_off(
    schedule: Make,
) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", overlap="queue", catch_up="all")
    tick(hourly, 2)
    end(run_at(hourly, 1))
    schedules.set_paused(hourly, paused=True)
    assert schedules.start_queued() == 0
    assert states(hourly)[2] == "queued"
    hourly.refresh_from_db()
    hourly.enabled = False
    schedules.save(hourly)
    assert states(hourly)[2] == "skipped"
    assert "switched off" in ScheduleSlot.objects.get(slot=NOON + 2 * HOUR).note


def test_many_leaders_at_once_start_the_next_in_line_once(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", overlap="queue", catch_up="all")
    tick(hourly, 5)
    end(run_at(hourly, 1))

    def lead(_: int) -> int:
        try:
            return schedules.start_queued()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(lead, range(6))) == 1
    assert Run.objects.filter(finished_at=None).count() == 1


def test_cancel_other_ends_what_runs_and_starts(schedule: Make) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", overlap="cancel_other")
    assert [tick(hourly, hour) for hour in (1, 2)] == [1, 1]
    first, second = (Run.objects.get(pk=run_at(hourly, hour)) for hour in (1, 2))
    assert (first.state, second.state) == ("cancelled", "pending")
    assert first.error is not None
    assert "schedule daily: its next slot was due" in first.error["message"]


def test_a_run_by_hand_counts_for_the_next_slot(schedule: Make, version: WorkflowVersion) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", overlap="skip")
    by_hand = schedules.run_now(hourly, principal=SYSTEM)
    assert (by_hand.origin, by_hand.state) == ("manual", "started")
    run = Run.objects.get()
    assert run.pk == by_hand.run_id
    assert (run.trigger, run.trigger_ref, run.slot) == ("manual", "daily", by_hand.slot)
    assert tick(hourly, 1) == 0
    assert states(hourly) == {1: "skipped"}
    # But nothing keeps a person from starting one more
    assert schedules.run_now(hourly, principal=SYSTEM).run_id
    assert Run.objects.filter(trigger="manual").count() == 2
