"""Beat's table says what our schedules say: one row for each distinct timing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import ModelEntry

from celesta.triggers import schedules
from celesta.triggers.cron import parse
from celesta.triggers.models import Schedule
from celesta.triggers.timing import from_key

Make = Callable[..., Schedule]


def tasks() -> list[PeriodicTask]:
    return list(PeriodicTask.objects.filter(task="celesta.tick").order_by("name"))


def test_one_row_for_each_distinct_timing(schedule: Make) -> None:
    first = schedule(cron="0 9 * * *", timezone="Europe/Berlin")
    schedule(name="second", cron=" 0  9 * * * ", timezone="Europe/Berlin")
    schedule(name="utc", cron="0 9 * * *")
    schedule(name="fast", every=300)
    names = [task.name for task in tasks()]
    assert names == [
        "celesta: 0 9 * * *@Europe/Berlin", "celesta: 0 9 * * *@UTC", "celesta: every 300",
    ]  # fmt: skip
    berlin = tasks()[0]
    assert json.loads(berlin.kwargs) == {"timing": first.timing.key}
    assert "second" in berlin.description
    assert "daily" in berlin.description
    assert berlin.queue == "default"
    assert berlin.expire_seconds
    assert Schedule.objects.filter(**from_key(first.timing.key)).count() == 2


def test_a_row_goes_with_the_last_schedule_that_used_it(schedule: Make) -> None:
    first = schedule(cron="0 9 * * *")
    second = schedule(name="second", cron="0 9 * * *")
    schedules.delete(first)
    assert len(tasks()) == 1
    schedules.delete(second)
    assert tasks() == []
    assert not CrontabSchedule.objects.filter(hour="9").exists()


def test_an_entry_that_others_use_stays(schedule: Make) -> None:
    row = schedule(every=120)
    interval = IntervalSchedule.objects.get(every=120)
    PeriodicTask.objects.create(name="theirs", task="their.task", interval=interval)
    schedules.delete(row)
    assert IntervalSchedule.objects.filter(pk=interval.pk).exists()


def test_another_timing_moves_the_row(schedule: Make) -> None:
    row = schedule(cron="0 9 * * *")
    row.cron, row.every = "", 60
    schedules.save(row)
    assert [task.name for task in tasks()] == ["celesta: every 60"]


def test_disabled_when_all_of_its_schedules_are(schedule: Make) -> None:
    first, second = schedule(every=60), schedule(name="second", every=60)
    for row in (first, second):
        assert tasks()[0].enabled
        row.enabled = False
        schedules.save(row)
    assert not tasks()[0].enabled
    second.enabled = True
    schedules.save(second)
    (task,) = tasks()
    assert task.enabled
    assert task.last_run_at is not None


def test_beat_is_told_to_read_its_table_again(schedule: Make) -> None:
    row = schedule(every=60)
    before = PeriodicTasks.last_change()
    row.params = {"day": "tue"}
    schedules.save(row)
    assert PeriodicTasks.last_change() == before  # nothing of beat's concern changed
    row.enabled = False
    schedules.save(row)
    assert PeriodicTasks.last_change() > before


def test_a_change_and_beats_row_are_one_transaction(schedule: Make) -> None:
    with transaction.atomic():
        schedule(every=60)
        assert len(tasks()) == 1
        transaction.set_rollback(True)
    assert not Schedule.objects.exists()
    assert tasks() == []


def test_anchors_make_timings_of_their_own(schedule: Make) -> None:
    schedule(every=300)
    schedule(name="later", every=300, anchor=datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC))
    assert [task.name for task in tasks()] == ["celesta: every 300", "celesta: every 300+90"]


def test_beat_ticks_an_interval_at_its_slots(schedule: Make) -> None:
    row = schedule(every=3600, anchor=datetime(2026, 1, 1, 0, 20, tzinfo=UTC))
    (task,) = tasks()
    assert task.last_run_at is not None
    assert row.next_at is not None
    assert task.last_run_at + timedelta(seconds=3600) == row.next_at


@pytest.mark.parametrize(
    "expression",
    [
        "*/5 * * * *",
        "30 2 * * *",
        "0 9-17/2 * * mon-fri",
        "0 0 1,15 * *",
        "0 0 13 * fri",
        "0 0 l * *",
        "0 0 * * 5#2",
        "15 10 * jan,jul *",
        "0 12 * * 0",
        "0 12 * * 7",
    ],
)
def test_beats_crontab_includes_every_slot(schedule: Make, expression: str) -> None:
    """What Celery cannot say as we mean it, it says too often rather than too rarely."""
    schedule(cron=expression, timezone="Europe/Berlin")
    (task,) = tasks()
    crontab = task.crontab.schedule
    moment, zone = datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("Europe/Berlin")
    for _ in range(40):
        moment = parse(expression).after(moment, zone)
        wall = moment.astimezone(zone)
        assert wall.minute in crontab.minute
        assert wall.hour in crontab.hour
        assert wall.day in crontab.day_of_month
        assert wall.month in crontab.month_of_year
        assert wall.isoweekday() % 7 in crontab.day_of_week


def test_beat_reads_the_row_and_sends_our_task(schedule: Make) -> None:
    row = schedule(cron="0 9 * * *", timezone="Europe/Berlin")
    entry = ModelEntry(tasks()[0], app=Celery("beat"))
    assert entry.task == "celesta.tick"
    assert entry.kwargs == {"timing": row.timing.key}
    assert entry.options["queue"] == "default"
    assert not entry.is_due().is_due
