"""Schedules from the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from celesta.access.models import Workspace
from celesta.runs.models import Run
from celesta.triggers import backfilling, schedules
from celesta.triggers.models import Backfill, Schedule
from celesta.workflows import publishing
from tests.integration.cli.conftest import DOCUMENT

RANGE = ("--from", "2026-01-01", "--until", "2026-01-01T05:00")


@pytest.fixture
def hourly(manage: Callable[..., Any], workspace: Workspace) -> Schedule:
    version = publishing.publish(workspace, DOCUMENT, by=None)
    row = Schedule(workspace=workspace, workflow=version.workflow, name="hourly")
    row.cron, row.params = "0 * * * *", {"order_id": 1}
    return schedules.save(row)


def test_list_show_and_next(manage: Callable[..., Any], hourly: Schedule) -> None:
    assert hourly.next_at is not None
    (row,) = manage("schedule", "list", "--json").json
    assert (row["name"], row["workflow"], row["state"]) == ("hourly", "orders.fulfil", "on")
    schedules.tick(schedule_id=hourly.pk, now=hourly.next_at)
    shown = manage("schedule", "show", "hourly", "--json").json
    assert shown["overlap"] == "allow"
    assert shown["slots"][0]["run"] == str(Run.objects.get().pk)
    assert "started" in manage("schedule", "show", "hourly").text
    following = manage("schedule", "next", "hourly", "--count", "3", "--json").json
    assert [slot[14:19] for slot in following] == ["00:00"] * 3
    assert len(manage("schedule", "next", "hourly").text.splitlines()) == 10


def test_pause_resume_and_run(manage: Callable[..., Any], hourly: Schedule) -> None:
    assert "is paused" in manage("schedule", "pause", "hourly").text
    assert manage("schedule", "list", "--json").json[0]["state"] == "paused"
    assert "no slot to come" in manage("schedule", "next", "hourly").text
    assert "goes on" in manage("schedule", "resume", "hourly").text
    made = manage("schedule", "run", "hourly", "--json").json
    assert (made["origin"], made["run"]) == ("manual", str(Run.objects.get().pk))


def test_a_backfill_is_counted_and_then_made(manage: Callable[..., Any], hourly: Schedule) -> None:
    counted = manage("schedule", "backfill", "hourly", *RANGE, "--preview")
    assert counted.text.startswith("6 slots, 2026-01-01T00:00:00+00:00 to 2026-01-01T05:00")
    assert not Backfill.objects.exists()
    assert "6 slots are being started" in manage("schedule", "backfill", "hourly", *RANGE).text
    backfilling.advance_all(1.0)
    (row,) = manage("schedule", "backfills", "--json").json
    assert (row["state"], row["started"], row["left"]) == ("finished", 6, 0)


def test_what_is_refused(manage: Callable[..., Any], hourly: Schedule) -> None:
    unknown = manage("schedule", "show", "daily")
    assert (unknown.code, "schedule list" in unknown.error) == (1, True)
    many = manage("schedule", "backfill", "hourly", *RANGE, "--max-slots", "5")
    assert many.code == 1
    assert "more than 5 slots" in many.text + many.error
