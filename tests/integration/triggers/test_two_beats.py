"""Real processes: two beats at once, one of them killed, and one run per slot all the time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from celesta.runs.models import Run
from celesta.triggers import schedules
from celesta.triggers.models import Schedule, ScheduleSlot
from project import ROOT
from tests.processes import wait_for, worker_environment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def beat(transactional_db: None, tmp_path: Path) -> Iterator[Callable[[str], Any]]:
    """A factory of `celery beat` processes with the database scheduler."""
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str) -> subprocess.Popen[bytes]:
        argv = [
            *(sys.executable, "-m", "celery", "-A", "project", "beat", "-l", "INFO"),
            *("--max-interval", "1", "--pidfile", str(tmp_path / f"{name}.pid")),
        ]
        with (tmp_path / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                argv, env=worker_environment(), cwd=ROOT, stdout=log, stderr=log
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=60)


def lateness(schedule: Schedule) -> list[timedelta]:
    """How long after its slot each run was started, oldest first."""
    rows = list(
        ScheduleSlot.objects.filter(schedule=schedule, run_id__isnull=False).order_by("slot")
    )
    created = dict(Run.objects.values_list("id", "created_at"))
    return [created[row.run_id] - row.slot for row in rows if row.run_id]


def test_two_beats_start_each_slot_once_and_one_goes_on_alone(
    schedule: Callable[..., Schedule],
    worker_process: Callable[..., Any],
    beat: Callable[[str], Any],
    tmp_path: Path,
) -> None:
    worker_process(queues="default", concurrency=1)
    first, _ = beat("first"), beat("second")
    fast = schedule(every=2, catch_up="all")

    def started(count: int) -> Callable[[], bool]:
        return lambda: len(lateness(fast)) >= count

    def logs() -> str:
        return "".join(log.read_text(errors="replace") for log in tmp_path.glob("*.log"))

    wait_for(started(3), told=logs)
    first.kill()
    first.wait(timeout=60)
    before = len(lateness(fast))
    wait_for(started(before + 3), told=logs)
    # The leader would take over after its grace of 10 s: these came from beat.
    assert max(lateness(fast)[-2:]) < timedelta(seconds=8)
    slots = list(ScheduleSlot.objects.filter(run_id__isnull=False).order_by("slot"))
    runs = Run.objects.filter(id__in=[slot.run_id for slot in slots])
    assert runs.count() == len(slots)
    assert not Run.objects.filter(created_at__lte=runs.latest("id").created_at).exclude(
        id__in=[slot.run_id for slot in slots]
    )
    steps = {b.slot - a.slot for a, b in pairwise(slots)}
    assert steps == {timedelta(seconds=2)}


def test_six_hours_without_beat_and_then_a_real_one(
    schedule: Callable[..., Schedule],
    worker_process: Callable[..., Any],
    beat: Callable[[str], Any],
) -> None:
    # Given hourly schedules whose last slot was dealt with six and a half hours ago
    now = schedules.database_now()
    begun = now - timedelta(hours=6, minutes=30)
    rows = {
        policy: schedule(since=begun, name=policy, every=3600, anchor=begun, catch_up=policy)
        for policy in ("all", "last", "none")
    }
    # and one instant to come, that has a jitter besides
    at = now.replace(microsecond=0) + timedelta(seconds=8)
    once = schedule(name="once", at=at, jitter=4)

    # When a beat and a worker come back
    beat("only")
    worker_process(queues="default", concurrency=1)
    wait_for(lambda: ScheduleSlot.objects.filter(schedule=once, state="started").exists(), 90.0)
    wait_for(lambda: ScheduleSlot.objects.filter(schedule=rows["none"]).exists())

    # Then each has what its policy says, and nothing else
    def started(row: Schedule) -> list[Any]:
        found = ScheduleSlot.objects.filter(schedule=row, state="started").order_by("slot")
        return list(found.values_list("slot", flat=True))

    hours = [begun + timedelta(hours=hour) for hour in range(1, 7)]
    wait_for(lambda: started(rows["all"]) == hours)
    assert started(rows["last"]) == hours[-1:]
    assert started(rows["none"]) == []
    assert started(once) == [at]
    run = Run.objects.get(trigger_ref="once")
    assert run.slot == at
    assert run.created_at >= once.recurrence.start_of(at) - timedelta(seconds=1)
    assert Run.objects.count() == 6 + 1 + 1
