"""Backfills: previewed, capped, started in chunks, one run per slot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from celesta.access.principals import SYSTEM
from celesta.runs.models import Run
from celesta.triggers import backfilling, backfills, schedules
from celesta.triggers.errors import BackfillEnded, BackfillInvalid
from celesta.triggers.models import Backfill, BackfillSlot, Schedule, ScheduleSlot
from celesta.workflows.activation import set_paused
from celesta.workflows.models import WorkflowVersion

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
Make = Callable[..., Schedule]


@pytest.fixture
def hourly(schedule: Make) -> Schedule:
    return schedule(cron="0 * * * *", params={"day": "{{ slot.time }}"})


def draft(schedule: Schedule, hours: int = 9, **facts: Any) -> Backfill:
    found = backfills.of_schedule(schedule, BEGIN, BEGIN + hours * HOUR)
    for name, value in facts.items():
        setattr(found, name, value)
    return found


def make(schedule: Schedule, hours: int = 9, **facts: Any) -> Backfill:
    return backfills.create(draft(schedule, hours, **facts), principal=SYSTEM)


def end_runs() -> None:
    Run.objects.filter(finished_at=None).update(state="succeeded", finished_at=BEGIN)


def test_a_preview_counts_and_starts_nothing(hourly: Schedule) -> None:
    shown = backfills.preview(draft(hourly, 99))
    assert (shown.count, shown.existing) == (100, 0)
    assert shown.first == tuple(BEGIN + n * HOUR for n in range(5))
    assert shown.last == tuple(BEGIN + n * HOUR for n in range(95, 100))
    assert not Backfill.objects.exists()
    assert backfills.preview(draft(hourly, 1)).last == ()


def test_its_slots_are_started_in_order_with_their_data_intervals(hourly: Schedule) -> None:
    made = make(hourly, max_active=100)
    assert backfilling.advance_all(9.0) == 10
    made.refresh_from_db()
    assert (made.state, made.started, made.left) == ("finished", 10, 0)
    assert made.ended_at is not None
    runs = list(Run.objects.order_by("id"))
    assert [run.slot for run in runs] == [BEGIN + n * HOUR for n in range(10)]
    assert all(run.slot and run.slot_from == run.slot - HOUR for run in runs)
    assert runs[1].params == {"day": "2026-01-01T01:00:00Z"}
    assert {(run.trigger, run.trigger_ref) for run in runs} == {("backfill", str(made.pk))}
    of_schedule = ScheduleSlot.objects.filter(schedule=hourly, origin="backfill")
    assert set(of_schedule.values_list("run_id", flat=True)) == {run.pk for run in runs}
    assert backfilling.advance_all(1.0) == 0


def test_newest_first(hourly: Schedule) -> None:
    make(hourly, newest_first=True, max_active=3)
    assert backfilling.advance_all(1.0) == 3
    found = Run.objects.order_by("id").values_list("slot", "slot_from")
    newest = BEGIN + 9 * HOUR
    assert list(found) == [(newest - n * HOUR, newest - (n + 1) * HOUR) for n in range(3)]


def test_no_more_runs_are_open_than_may_be(hourly: Schedule) -> None:
    made = make(hourly, max_active=4)
    assert [backfilling.advance_all(1.0), backfilling.advance_all(1.0)] == [4, 0]
    Run.objects.filter(slot=BEGIN).update(state="succeeded", finished_at=BEGIN)
    assert backfilling.advance_all(1.0) == 1
    for _ in range(3):
        end_runs()
        backfilling.advance_all(1.0)
    made.refresh_from_db()
    assert (made.state, made.started) == ("finished", 10)
    assert BackfillSlot.objects.values("run_id").distinct().count() == 10


def test_slots_that_have_a_run_are_left_or_run_again(hourly: Schedule) -> None:
    ran = ScheduleSlot.objects.create(schedule=hourly, slot=BEGIN + 3 * HOUR, run_id=UUID(int=1))
    ScheduleSlot.objects.create(schedule=hourly, slot=BEGIN + 4 * HOUR, state="missed")
    assert backfills.preview(draft(hourly)).existing == 1
    made = make(hourly, max_active=99)
    assert backfilling.advance_all(1.0) == 9
    made.refresh_from_db()
    assert (made.started, made.skipped) == (9, 1)
    skipped = BackfillSlot.objects.get(state="skipped")
    assert (skipped.slot, skipped.run_id) == (ran.slot, ran.run_id)
    assert ScheduleSlot.objects.get(slot=BEGIN + 4 * HOUR).state == "started"
    # Once more: everything is there, and nothing starts; unless it is asked for
    make(hourly, max_active=99)
    assert backfilling.advance_all(1.0) == 0
    make(hourly, max_active=99, existing="rerun")
    assert backfilling.advance_all(1.0) == 10
    assert Run.objects.count() == 19


def test_a_slot_that_a_backfill_has_run_is_not_started_by_a_tick(hourly: Schedule) -> None:
    make(hourly, max_active=99)
    backfilling.advance_all(1.0)
    Schedule.objects.update(cursor=BEGIN - HOUR, next_at=BEGIN, catch_up="all")
    assert schedules.tick(schedule_id=hourly.pk, now=BEGIN + 10 * HOUR) == 1


def test_pause_resume_and_cancel(hourly: Schedule, version: WorkflowVersion) -> None:
    made = make(hourly, max_active=2)
    backfilling.advance_all(1.0)
    end_runs()
    backfills.set_paused(made, paused=True)
    assert backfilling.advance_all(1.0) == 0
    backfills.set_paused(made, paused=False)
    set_paused(version.workflow, paused=True)
    assert backfilling.advance_all(1.0) == 0
    set_paused(version.workflow, paused=False)
    assert backfilling.advance_all(1.0) == 2
    backfills.cancel(made)
    end_runs()
    assert backfilling.advance_all(1.0) == 0
    assert (made.state, Run.objects.count()) == ("cancelled", 4)
    with pytest.raises(BackfillEnded):
        backfills.set_paused(made, paused=False)


def test_a_chunk_is_started_whole_or_not_at_all(hourly: Schedule) -> None:
    made = make(hourly, max_active=99)
    with transaction.atomic():
        assert backfilling.advance(made.pk, chunk=4) == 4
        transaction.set_rollback(True)  # as a killed leader leaves it
    assert not Run.objects.exists()
    made.refresh_from_db()
    assert (made.cursor, BackfillSlot.objects.exclude(state="").count()) == (0, 0)
    assert backfilling.advance(made.pk, chunk=4) == 4
    assert backfilling.advance_all(1.0) == 6


def test_what_is_refused_is_told_and_the_others_go_on(hourly: Schedule) -> None:
    params = {"day": "{{ slot.timestamp % 7200 == 0 ? slot.time : slot.timestamp }}"}
    made = make(hourly, max_active=99, params=params)
    assert backfilling.advance_all(1.0) == 5
    made.refresh_from_db()
    assert (made.state, made.started, made.refused) == ("finished", 5, 5)
    assert "params.day" in BackfillSlot.objects.filter(state="refused")[0].note
    assert made.last_error.startswith("invalid_params")


def test_a_backfill_of_a_timing_without_a_schedule(version: WorkflowVersion) -> None:
    made = backfills.of_workflow(version.workflow, BEGIN, BEGIN + 6 * HOUR)
    made.cron, made.timezone, made.params = "0 */2 * * *", "Asia/Kolkata", {"day": "x"}
    made.max_active = 99
    backfills.create(made, principal=SYSTEM)
    assert backfilling.advance_all(1.0) == 3
    slots = Run.objects.order_by("slot").values_list("slot", flat=True)
    assert [slot.strftime("%H:%M") for slot in slots if slot] == ["00:30", "02:30", "04:30"]
    assert not ScheduleSlot.objects.exists()


@pytest.mark.parametrize(
    ("facts", "limit", "code", "path"),
    [
        ({"until": BEGIN - HOUR}, 99, "ends_before_start", "until"),
        ({"until": datetime(2999, 1, 1, tzinfo=UTC)}, 99, "in_the_future", "until"),
        ({"until": BEGIN + 99 * HOUR}, 99, "too_many_slots", "max_slots"),
        ({"begin": BEGIN + timedelta(minutes=1), "until": BEGIN + timedelta(minutes=9)},
         99, "no_slots", "until"),
        ({}, 10**6, "invalid_limit", "max_slots"),
        ({"max_active": 0}, 99, "invalid_limit", "max_active"),
        ({"existing": "eat"}, 99, "unknown_policy", "existing"),
        ({"params": {}}, 99, "missing_param", "params.day"),
        ({"cron": "x"}, 99, "invalid_cron", "cron"),
        ({"timezone": "Mars/Base"}, 99, "unknown_zone", "timezone"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(
    hourly: Schedule, facts: dict[str, Any], limit: int, code: str, path: str
) -> None:
    with pytest.raises(BackfillInvalid) as caught:
        backfills.create(draft(hourly, **facts), principal=SYSTEM, limit=limit)
    assert [(p.code, p.path) for p in caught.value.problems] == [(code, path)]
    assert not Backfill.objects.exists()


def test_a_one_off_has_nothing_to_fill_in(schedule: Make) -> None:
    once = schedule(at=datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(BackfillInvalid) as caught:
        backfills.preview(draft(once))
    assert caught.value.problems[0].code == "one_off"
