"""The keeper's threads: kept out of forks, and not ended by anything but the end."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import django.db
import psycopg
import pytest

from celesta.engine import leader
from celesta.engine.leader import Lead, LeadLost
from celesta.runs.connection import rows
from celesta_worker import page
from celesta_worker.keeper import loop
from celesta_worker.keeper.forks import PATIENCE, ForkGuard
from celesta_worker.keeper.leading import Leading
from celesta_worker.keeper.loop import KeeperThread
from celesta_worker.keeper.weather import Weather
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def forked(work: Callable[[], bool]) -> bool:
    """Run something in a fork of this process; True when it said so within five seconds."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if work() else 1)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0


def held(guard: ForkGuard, seconds: float) -> threading.Thread:
    """A thread that is in a critical section for so long; it is in there when this returns."""
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with guard.section():
            inside.set()
            leave.wait(seconds)

    thread = threading.Thread(target=work)
    thread.start()
    assert inside.wait(60)
    return thread


def fail(error: Exception) -> None:
    raise error


def free(guard: ForkGuard) -> bool:
    """True when the section can be entered."""
    if not guard._lock.acquire(timeout=60):
        return False
    guard._lock.release()
    return True


def test_a_fork_waits_for_the_end_of_a_section() -> None:
    guard = ForkGuard()
    began = time.monotonic()
    thread = held(guard, 0.3)
    assert forked(lambda: time.monotonic() - began >= 0.3)
    thread.join()
    assert free(guard)


def test_a_fork_does_not_wait_for_ever_and_the_child_is_free() -> None:
    guard = ForkGuard()
    began = time.monotonic()
    thread = held(guard, PATIENCE + 2)
    assert forked(lambda: free(guard))
    assert time.monotonic() - began < PATIENCE + 1.5
    thread.join()
    assert free(guard)


@pytest.mark.parametrize(
    "error",
    [psycopg.OperationalError("gone"), django.db.OperationalError("gone"), RuntimeError("a bug")],
    ids=lambda error: type(error).__module__,
)
def test_no_error_gets_out_of_a_round(error: Exception) -> None:
    weather = Weather()
    with weather.watch():
        fail(error)
    assert weather.is_bad


def test_the_loss_of_the_lead_does() -> None:
    with pytest.raises(LeadLost), Weather().watch():
        raise LeadLost


def test_the_absence_of_the_database_is_told_once_and_its_return_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    weather = Weather()
    for _ in range(5):
        with weather.watch():
            fail(psycopg.OperationalError("connection refused\nIs the server running?"))
    with weather.watch():
        pass  # too early to mean anything
    assert weather.is_bad
    weather._until = 0.0
    for _ in range(2):
        with weather.watch():
            pass
    told = [record.message for record in caplog.records]
    assert told == [
        "the database cannot be reached (connection refused); trying again",
        "the database answers again",
    ]


def test_pauses_grow_to_two_seconds() -> None:
    weather, pauses = Weather(), []
    for _ in range(6):
        with weather.watch():
            fail(psycopg.OperationalError())
        pauses.append(round(weather._until - time.monotonic(), 1))
    assert pauses == [0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@pytest.fixture
def keeper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeeperThread]:
    """The keeper of a worker that has one process and no messages."""
    monkeypatch.setattr(page, "directory", lambda: tmp_path)
    dispatcher = SimpleNamespace(enabled=True, groups={"worker"})
    worker = SimpleNamespace(
        consumer=SimpleNamespace(event_dispatcher=dispatcher),
        pool=SimpleNamespace(num_processes=1),
        concurrency=1,
    )
    thread = KeeperThread(worker)
    yield thread
    thread.end()


def told(keeper: KeeperThread) -> tuple[bool, int, bool]:
    """What a pool process reads."""
    keeper._talk()
    read = page.WorkerPage(os.getpid())
    return read.stopping, read.backlog, read.events


def test_processes_are_told_of_backlog_events_and_the_end(
    keeper: KeeperThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(keeper) == (False, 0, False)
    # a worker's own heartbeats are no reason to send events of nodes
    keeper._worker.consumer.event_dispatcher.groups.add("task")
    assert told(keeper) == (False, 0, True)
    monkeypatch.setattr(
        loop, "state", SimpleNamespace(reserved_requests=[1, 2, 3], active_requests=[1])
    )
    assert told(keeper) == (False, 2, True)
    keeper.hand_back()
    assert page.WorkerPage(os.getpid()).stopping


@pytest.mark.parametrize(
    ("reserved", "active", "free"), [(0, 0, True), (1, 1, False), (2, 1, False), (1, 0, False)]
)
def test_a_process_is_free_when_nothing_runs_or_waits(
    keeper: KeeperThread,
    monkeypatch: pytest.MonkeyPatch,
    reserved: int,
    active: int,
    free: bool,
) -> None:
    monkeypatch.setattr(
        loop,
        "state",
        SimpleNamespace(reserved_requests=[0] * reserved, active_requests=[0] * active),
    )
    assert keeper._is_free() is free


def test_the_keeper_goes_on_after_an_unexpected_error_and_leads(
    keeper: KeeperThread, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keep, calls = keeper._leases.keep, []

    def broken(**options: Any) -> None:
        calls.append(options)
        if len(calls) == 1:
            raise ZeroDivisionError
        keep(**options)

    monkeypatch.setattr(keeper._leases, "keep", broken)
    keeper.start()
    wait_for(lambda: len(calls) > 1 and rows("SELECT 1 FROM celesta_leader WHERE until > now()"))
    assert "ZeroDivisionError" in caplog.text
    # and at its end it leaves the lead and its page
    keeper.end()
    assert not keeper.is_alive()
    assert not rows("SELECT 1 FROM celesta_leader WHERE until > now()")
    assert page.workers() == set()


def test_a_leader_whose_duty_fails_goes_on_with_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from celesta.triggers import schedules

    done = threading.Event()

    def missed() -> None:
        if not done.is_set():
            done.set()
            raise KeyError("a schedule that nobody understands")

    monkeypatch.setattr(schedules, "tick_missed", missed)
    term = leader.try_lead("me", 1.0)
    assert term
    leading = Leading(Lead("me", term))
    leading.start()
    assert done.wait(60)
    first = rows("SELECT until FROM celesta_leader")
    wait_for(lambda: rows("SELECT until FROM celesta_leader") > first)
    leading.end()
    leading.join(60)
    assert "a schedule that nobody understands" in caplog.text
    assert not leader.leads("me", term)


def test_a_leader_that_is_followed_stops() -> None:
    term = leader.try_lead("me", 1.0)
    assert term
    leading = Leading(Lead("me", term))
    leading.start()
    rows("UPDATE celesta_leader SET holder = 'another', term = term + 1, until = now() + '1 min'")
    leading.join(60)
    assert not leading.is_alive()
    assert leader.seconds_left() > 30
