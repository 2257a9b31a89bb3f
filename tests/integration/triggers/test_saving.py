"""Saving a schedule: what is refused, and from when it counts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django_celery_beat.models import PeriodicTask

from celesta.access.models import Workspace
from celesta.access.principals import SYSTEM
from celesta.triggers import schedules
from celesta.triggers.errors import ScheduleGone, ScheduleInvalid, ScheduleNameTaken
from celesta.triggers.models import Schedule
from celesta.triggers.timing import EPOCH
from celesta.workflows.models import Workflow
from tests.integration.triggers.conftest import NOON

Make = Callable[..., Schedule]


@pytest.mark.parametrize(
    ("facts", "code", "path"),
    [
        ({"cron": "* * *"}, "invalid_cron", "cron"),
        ({"cron": "0 0 29 2 mon#1"}, "invalid_cron", "cron"),
        ({}, "cron_or_interval", "cron"),
        ({"cron": "* * * * *", "every": 5}, "cron_or_interval", "cron"),
        ({"every": 0}, "invalid_interval", "every"),
        ({"every": 10**9}, "invalid_interval", "every"),
        ({"every": 60, "timezone": "Nowhere"}, "unknown_zone", "timezone"),
        ({"every": 60, "params": {}}, "missing_param", "params.day"),
        ({"every": 60, "params": []}, "not_an_object", "params"),
        ({"every": 60, "at": NOON}, "cron_or_interval", "cron"),
        ({"every": 60, "overlap": "some"}, "unknown_policy", "overlap"),
        ({"every": 60, "queue_limit": 0}, "invalid_limit", "queue_limit"),
        ({"every": 60, "catch_up_limit": 10**6}, "invalid_limit", "catch_up_limit"),
        ({"every": 60, "jitter": 90_000}, "invalid_jitter", "jitter"),
        ({"every": 60, "starts_at": NOON, "ends_at": EPOCH}, "ends_before_start", "ends_at"),
        ({"every": 60, "ends_at": EPOCH}, "never_due", "ends_at"),
        ({"every": 60, "name": " "}, "invalid_name", "name"),
        ({"every": 60, "name": "a\nb"}, "invalid_name", "name"),
        ({"every": 60, "catch_up": "some"}, "unknown_policy", "catch_up"),
        ({"every": 60, "anchor": datetime(9999, 1, 1, tzinfo=UTC)}, "invalid_anchor", "anchor"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(
    schedule: Make, facts: dict[str, Any], code: str, path: str
) -> None:
    with pytest.raises(ScheduleInvalid) as caught:
        schedule(**facts)
    assert [(p.code, p.path) for p in caught.value.problems] == [(code, path)]
    assert caught.value.problems[0].hint
    assert not Schedule.objects.exists()


def test_all_problems_come_at_once(schedule: Make) -> None:
    with pytest.raises(ScheduleInvalid) as caught:
        schedule(cron="* *", timezone="x", params={}, name="")
    assert {p.path for p in caught.value.problems} == {"cron", "timezone", "params.day", "name"}


def test_a_workflow_of_another_workspace_is_refused(schedule: Make) -> None:
    other = Workspace.objects.create(slug="other", name="Other")
    workflow = Workflow.objects.create(workspace=other, name="theirs")
    row = schedule(every=60)
    row.workflow = workflow
    with pytest.raises(ScheduleInvalid) as caught:
        schedules.save(row)
    assert caught.value.problems[0].code == "other_workspace"


def test_a_name_is_used_once_in_a_workspace(schedule: Make) -> None:
    schedule(every=60)
    with pytest.raises(ScheduleNameTaken):
        schedule(every=90)


def test_another_timing_counts_from_now(schedule: Make) -> None:
    row = schedule(since=datetime(2020, 1, 1, tzinfo=UTC), every=3600)
    row.every = 60
    schedules.save(row)
    assert row.cursor is not None
    assert schedules.database_now().year == row.cursor.year


def test_switched_on_again_it_counts_from_now(schedule: Make) -> None:
    row = schedule(every=3600, enabled=False)
    Schedule.objects.filter(pk=row.pk).update(cursor=datetime(2020, 1, 1, tzinfo=UTC))
    row.enabled = True
    schedules.save(row)
    assert row.cursor is not None
    assert row.cursor.year >= 2026
    assert schedules.tick(schedule_id=row.pk) == 0


def test_a_save_does_not_put_back_the_cursor_that_a_tick_moved(schedule: Make) -> None:
    row = schedule(since=NOON, cron="0 * * * *")
    read_before = Schedule.objects.get(pk=row.pk)
    assert schedules.tick(schedule_id=row.pk, now=NOON.replace(hour=13)) == 1
    read_before.params = {"day": "tue"}
    schedules.save(read_before)
    row.refresh_from_db()
    assert row.cursor == NOON.replace(hour=13)
    assert row.params == {"day": "tue"}


def test_a_save_does_not_undo_a_pause(schedule: Make) -> None:
    read_before = schedule(cron="0 * * * *")
    schedules.set_paused(Schedule.objects.get(pk=read_before.pk), paused=True)
    read_before.params = {"day": "tue"}
    schedules.save(read_before)
    row = Schedule.objects.get(pk=read_before.pk)
    assert (row.paused, row.params) == (True, {"day": "tue"})


def test_a_schedule_that_was_deleted_stays_so(schedule: Make) -> None:
    row = schedule(every=60)
    schedules.delete(Schedule.objects.get(pk=row.pk))
    with pytest.raises(ScheduleGone):
        schedules.save(row)
    with pytest.raises(ScheduleGone):
        schedules.set_paused(row, paused=True)
    with pytest.raises(ScheduleGone):
        schedules.run_now(row, principal=SYSTEM)
    with pytest.raises(ScheduleGone):
        schedules.delete(row)
    assert not Schedule.objects.exists()


def test_a_delete_takes_the_timing_of_now_out_of_beat(schedule: Make) -> None:
    read_before = schedule(every=60)
    changed = Schedule.objects.get(pk=read_before.pk)
    changed.every = 90
    schedules.save(changed)
    schedules.delete(read_before)
    assert not PeriodicTask.objects.filter(task="celesta.tick").exists()


def test_an_alias_is_kept_as_five_fields(schedule: Make) -> None:
    assert schedule(cron="@Daily").cron == "0 0 * * *"


def test_the_next_slots(schedule: Make) -> None:
    row = schedule(cron="0 9 * * *", timezone="Asia/Kolkata")
    found = schedules.next_slots(row.recurrence, after=NOON, count=2)
    assert found == [
        datetime(2030, 6, 2, 3, 30, tzinfo=UTC),
        datetime(2030, 6, 3, 3, 30, tzinfo=UTC),
    ]
    assert len(schedules.upcoming(row)) == 5
    row.enabled = False
    assert schedules.upcoming(row) == []
