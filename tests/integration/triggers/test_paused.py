"""A paused workflow: its schedules start nothing, and catch up when it is resumed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from celesta.access.principals import SYSTEM
from celesta.engine.start import start_run
from celesta.runs.models import Run
from celesta.triggers import schedules
from celesta.triggers.models import Schedule, ScheduleSlot
from celesta.workflows.activation import set_paused
from celesta.workflows.models import Workflow, WorkflowVersion
from tests.integration.triggers.conftest import NOON
from tests.processes import wait_for

HOUR = timedelta(hours=1)
Make = Callable[..., Schedule]


def started(schedule: Schedule) -> list[object]:
    rows = ScheduleSlot.objects.filter(schedule=schedule, run_id__isnull=False)
    return list(rows.order_by("slot").values_list("slot", flat=True))


@pytest.mark.parametrize(("policy", "hours"), [("all", [1, 2, 3]), ("last", [3]), ("none", [])])
def test_slots_that_come_while_paused_wait_for_the_catch_up_policy(
    schedule: Make, version: WorkflowVersion, policy: str, hours: list[int]
) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *", catch_up=policy)
    set_paused(version.workflow, paused=True)

    # Given slots that beat ticks, by timing and by schedule, and that the leader finds overdue
    for hour in (1, 2, 3):
        now = NOON + hour * HOUR
        assert schedules.tick(timing="cron:0 * * * *@UTC", now=now) == 0
        assert schedules.tick(schedule_id=hourly.pk, now=now) == 0
        assert schedules.tick_missed(now + schedules.GRACE) == 0
    # Then nothing starts, and nothing is called an error
    hourly.refresh_from_db()
    assert (Run.objects.count(), ScheduleSlot.objects.count(), hourly.last_error) == (0, 0, "")

    # When it is resumed between two slots, the leader catches up what the policy says
    set_paused(version.workflow, paused=False)
    assert schedules.tick_missed(NOON + 3.5 * HOUR) == len(hours)
    assert started(hourly) == [NOON + hour * HOUR for hour in hours]
    # And the next slot is an ordinary one
    assert schedules.tick(schedule_id=hourly.pk, now=NOON + 4 * HOUR) == 1


def test_people_and_programs_start_it_while_it_is_paused(version: WorkflowVersion) -> None:
    set_paused(version.workflow, paused=True)
    assert start_run(version, {"day": "mon"}, principal=SYSTEM).created


def test_schedules_of_other_workflows_go_on(schedule: Make, version: WorkflowVersion) -> None:
    other = Workflow.objects.create(workspace=version.workflow.workspace, name="other")
    Workflow.objects.filter(pk=other.pk).update(current=version, paused=True)
    held = schedule(since=NOON, name="held", cron="0 * * * *", workflow=other)
    going = schedule(since=NOON, cron="0 * * * *")

    assert schedules.tick(timing="cron:0 * * * *@UTC", now=NOON + HOUR) == 1
    assert (started(held), started(going)) == ([], [NOON + HOUR])


@pytest.mark.django_db(transaction=True)
def test_a_tick_that_meets_a_pause_waits_for_it_and_starts_nothing(
    schedule: Make, version: WorkflowVersion
) -> None:
    hourly = schedule(since=NOON, cron="0 * * * *")

    def tick() -> int:
        try:
            return schedules.tick(schedule_id=hourly.pk, now=NOON + HOUR)
        finally:
            connection.close()

    # Given a pause that is written but not yet committed, when a tick comes
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            set_paused(version.workflow, paused=True)
            ticking = pool.submit(tick)
            wait_for(lambda: ticking.done() or somebody_waits_for_a_lock())
        # Then the tick decides after the commit
        assert ticking.result(60) == 0
    assert not Run.objects.exists()


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        # Of this database: other tests may wait at the same time in theirs. And of this moment: in
        # a transaction PostgreSQL goes on telling what it told first.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])
