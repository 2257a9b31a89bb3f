"""A schedule's page and its backfills: looked at, run now, paused, filled in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from celesta.runs.models import Run
from celesta.triggers import backfilling, schedules
from celesta.triggers.models import Backfill, BackfillSlot, Schedule, ScheduleSlot
from celesta.workflows.models import WorkflowVersion

RANGE = {"begin": "2026-01-01T00:00", "until": "2026-01-01T09:00"}
ASKED = {**RANGE, "max_active": "4", "existing": "skip", "max_slots": "100"}


@pytest.fixture
def hourly(version: WorkflowVersion) -> Schedule:
    row = Schedule(workspace=version.workflow.workspace, workflow=version.workflow, name="hourly")
    row.cron, row.params, row.timezone = "0 * * * *", {"order_id": 1}, "Asia/Kolkata"
    return schedules.save(row)


@pytest.fixture
def operator(client_of: Callable[[str], Client]) -> Client:
    return client_of("operator")


def page(name: str, *arguments: object) -> str:
    return reverse(f"celesta_console:{name}", args=list(arguments))


def test_the_page_shows_ten_times_to_come_and_what_became_of_slots(
    operator: Client, hourly: Schedule
) -> None:
    assert hourly.next_at is not None
    schedules.tick(schedule_id=hourly.pk, now=hourly.next_at)
    ScheduleSlot.objects.create(
        schedule=hourly, slot=datetime(2026, 1, 1, tzinfo=UTC), state="skipped",
        note="overlap: run 1 had not ended",
    )  # fmt: skip
    shown = operator.get(page("schedule", hourly.pk)).content.decode()
    assert shown.count(":00:00 IST") == 10 + 1  # each in the schedule's own zone
    assert "Thu 2026-01-01 05:30:00 IST" in shown
    assert 'title="2026-01-01 00:00:00 UTC"' in shown
    assert page("run", Run.objects.get().pk) in shown
    assert "overlap: run 1 had not ended" in shown


def test_older_slots_are_on_further_pages(operator: Client, hourly: Schedule) -> None:
    newest = datetime(2026, 3, 1, tzinfo=UTC)
    for day in range(60):
        ScheduleSlot.objects.create(schedule=hourly, slot=newest - timedelta(days=day))
    first = operator.get(page("schedule", hourly.pk))
    assert len(first.context["slots"]) == 50
    second = operator.get(page("schedule", hourly.pk), {"before": first.context["earlier"]})
    assert [row.slot for row in second.context["slots"]] == [
        newest - timedelta(days=day) for day in range(50, 60)
    ]
    assert operator.get(page("schedule", hourly.pk), {"before": "x"}).status_code == 200


def test_run_now_leads_to_the_run(operator: Client, hourly: Schedule) -> None:
    answer = operator.post(page("schedule-run", hourly.pk))
    run = Run.objects.get()
    assert answer.headers["Location"] == page("run", run.pk)
    assert (run.trigger, run.trigger_ref, run.created_by) == ("manual", "hourly", "operator")
    assert "For the slot" in operator.get(answer.headers["Location"]).content.decode()


def test_pause_and_resume(operator: Client, hourly: Schedule) -> None:
    operator.post(page("schedule-pause", hourly.pk), {"paused": "1"})
    assert "while it is paused" in operator.get(page("schedule", hourly.pk)).content.decode()
    operator.post(page("schedule-pause", hourly.pk), {"paused": "0"})
    hourly.refresh_from_db()
    assert not hourly.paused


@pytest.mark.parametrize(
    ("entered", "says"),
    [
        ({"cron": "30 2 * * *", "timezone": "Europe/Berlin"}, " 02:30:00 CE"),
        ({"cron": "30 2 * *", "timezone": "UTC"}, "this has 4"),
        ({"every": "3600"}, "every 1h"),
        ({"every": "soon"}, "whole number"),
        ({"at_0": "2099-01-01", "at_1": "10:00"}, "2099-01-01 10:00:00 UTC"),
        ({"at_0": "2020-01-01", "at_1": "10:00"}, "No slot is left"),
        ({"cron": "@daily", "every": "5"}, "exactly one"),
        ({"cron": "@daily", "timezone": "Mars/Base"}, "no time zone"),
        ({"cron": "@daily", "ends_at_0": "2020-01-01", "ends_at_1": "00:00"}, "No slot is left"),
        ({}, "exactly one"),
    ],
)
def test_the_times_to_come_of_a_form_that_is_being_filled_in(
    operator: Client, entered: dict[str, str], says: str
) -> None:
    answer = operator.get(page("coming"), entered)
    assert answer.status_code == 200
    assert says in answer.content.decode()


def test_a_backfill_is_previewed_then_started_and_watched(
    operator: Client, hourly: Schedule
) -> None:
    form = page("backfill-new", hourly.pk)
    assert operator.get(form).status_code == 200
    preview = operator.post(form, {**ASKED, "preview": "1"}).content.decode()
    assert "9 slots" in preview  # every hour of a zone that is half an hour off
    assert "Start 9" in preview
    assert not Backfill.objects.exists()
    answer = operator.post(form, {**ASKED, "start": "1"})
    made = Backfill.objects.get()
    assert answer.headers["Location"] == page("backfill", made.pk)
    assert (made.max_active, made.params, made.created_by) == (4, {"order_id": 1}, "operator")
    backfilling.advance_all(1.0)
    shown = operator.get(page("backfill", made.pk), headers={"X-Celesta-Fragment": "1"})
    text = shown.content.decode()
    assert "4 of 9" in text
    assert 'data-live="1"' in text
    assert page("run", BackfillSlot.objects.filter(state="started")[0].run_id) in text
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        operator.post(page("backfill-move", made.pk, verb))
        made.refresh_from_db()
        assert made.state == state
    assert operator.post(page("backfill-move", made.pk, "pause")).status_code == 409
    assert operator.post(page("backfill-move", made.pk, "eat")).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "field", "says"),
    [
        ({"until": "2025-01-01T00:00"}, "until", "before the start"),
        ({"until": "2999-01-01T00:00"}, "until", "about the past"),
        ({"max_slots": "3"}, "max_slots", "more than 3 slots"),
        ({"max_active": "0"}, "max_active", "greater than or equal to 1"),
        ({"params": "{}"}, "params", "order_id"),
        ({"begin": "yesterday"}, "begin", "valid date"),
    ],
)
def test_what_is_wrong_with_a_backfill_stands_at_its_field(
    operator: Client, hourly: Schedule, wrong: dict[str, str], field: str, says: str
) -> None:
    answer = operator.post(page("backfill-new", hourly.pk), {**ASKED, **wrong, "start": "1"})
    assert answer.status_code == 400
    assert says in str(answer.context["form"].errors[field])
    assert not Backfill.objects.exists()
