"""Three beats, killed and started twenty times over: exactly one run per slot."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import pytest

from celesta.access import workspaces
from celesta.runs.models import Run
from celesta.triggers import schedules
from celesta.triggers.models import Schedule, ScheduleSlot
from celesta.workflows.publishing import publish
from project import ROOT
from tests.processes import WorkerProcess, wait_for, worker_environment

pytestmark = [pytest.mark.faults, pytest.mark.long, pytest.mark.django_db(transaction=True)]
BEATS, KILLS = 3, 20


class Beat:
    """A `celery beat` process with the database scheduler, killed and started again."""

    def __init__(self, name: str, directory: Path) -> None:
        self._directory, self._name = directory, name
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, as a supervisor would: without the pid file of a killed one."""
        pid = self._directory / f"{self._name}.pid"
        pid.unlink(missing_ok=True)
        argv = [
            *(sys.executable, "-m", "celery", "-A", "project", "beat", "-l", "INFO"),
            *("--max-interval", "1", "--pidfile", str(pid)),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                argv, env=worker_environment(), cwd=ROOT, stdout=log, stderr=log
            )

    @property
    def log(self) -> Path:
        """What it prints, over all its lives."""
        return self._directory / f"{self._name}.log"

    def ticks(self) -> int:
        """How many ticks it has sent, over all its lives."""
        return self.log.read_text(errors="replace").count("Sending due task")

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=60)
            self._process = None


def ticks_of(beats: list[Beat]) -> int:
    """How many ticks these have sent together."""
    return sum(beat.ticks() for beat in beats)


@pytest.fixture
def beats(tmp_path: Path) -> Iterator[list[Beat]]:
    found = [Beat(f"beat{number}", tmp_path) for number in range(BEATS)]
    yield found
    for beat in found:
        beat.kill()


def test_three_beats_killed_twenty_times_start_each_slot_once(
    worker_process: Callable[..., WorkerProcess], beats: list[Beat]
) -> None:
    # Given a schedule every second and one every other, of which every slot is to be started
    name = f"beaten.{uuid4().hex[:8]}"
    nodes = {"a": {"type": "transform", "with": {"output": 1}}}
    version = publish(workspaces.default(), {"workflow": name, "nodes": nodes}, by=None)
    worker = worker_process(queues="default", concurrency=1)
    rows = [
        schedules.save(
            Schedule(
                workspace=version.workflow.workspace, workflow=version.workflow,
                name=f"{name}.{every}", every=every, catch_up="all", catch_up_limit=10_000,
            )
        )
        for every in (1, 2)
    ]  # fmt: skip

    def slots() -> int:
        return ScheduleSlot.objects.filter(schedule__in=rows).count()

    for beat in beats:
        beat.start()
    wait_for(lambda: all(beat.ticks() for beat in beats), 120.0, worker.output)

    # When one after the other is killed while it ticks, and started again
    for kill in range(KILLS):
        beat, before = beats[kill % BEATS], beats[kill % BEATS].ticks()
        wait_for(lambda beat=beat, n=before: beat.ticks() > n, 60.0, worker.output)  # type: ignore[misc]
        beat.kill()
        # A slot falls to the other two, as between a loss and its repair.
        others = [other for other in beats if other is not beat]
        before = ticks_of(others)
        wait_for(lambda o=others, n=before: ticks_of(o) > n, 60.0, worker.output)  # type: ignore[misc]
        beat.start()
    ticks = ticks_of(beats)
    for row in rows:
        row.enabled = False
        schedules.save(row)
    count = slots()

    # Then every slot since the start was dealt with, in order, each by one run
    for row in rows:
        found = list(ScheduleSlot.objects.filter(schedule=row).order_by("slot"))
        assert {slot.state for slot in found} == {"started"}
        step = timedelta(seconds=row.every or 0)
        assert {b.slot - a.slot for a, b in pairwise(found)} == {step}
        runs = Counter(Run.objects.filter(trigger_ref=row.name).values_list("slot", flat=True))
        assert runs == {slot.slot: 1 for slot in found}
        assert set(Run.objects.filter(trigger_ref=row.name).values_list("pk", flat=True)) == {
            slot.run_id for slot in found
        }
    assert Run.objects.filter(workflow=version.workflow).count() == count == slots()
    assert ticks >= KILLS  # whoever was killed had ticked in that life
    print(f"\n{KILLS} kills, {ticks} ticks of {BEATS} beats; {count} slots, {count} runs")
