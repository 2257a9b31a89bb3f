"""Deadlines of bodies, told to real processes by real signals."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from celesta_worker import page
from celesta_worker.keeper.deadlines import Deadlines
from celesta_worker.page import SlotView
from celesta_worker.processes import ProcessState, is_dead, state_of
from tests.integration.keeper.world import Child, view, write_page
from tests.processes import wait_for

#: A pool process in small: it says how its bodies end, one after the other.
BODIES = """
import sys, time
sys.path[:0] = {path!r}
from celesta_worker import interrupts, page
from pathlib import Path
page.directory = lambda: Path({pages!r})
import os, signal
from celesta_worker.interrupts import Interruptible, NodeInterrupted, SoftTimeout
own = page.SlotPage(os.getppid(), os.getpid(), 1)
class Guarded(Interruptible):
    def __enter__(self):
        own.enter(self.deadline); super().__enter__()
    def __exit__(self, *e):
        super().__exit__(*e); own.leave()
    def is_meant(self):
        return own.is_asked
interrupts.listen()
print("ready", flush=True)
for line in sys.stdin:
    seconds, deadline = map(float, line.split())
    try:
        with Guarded(time.monotonic() + deadline if deadline else 0.0):
            time.sleep(seconds)
        print("ended", flush=True)
    except SoftTimeout:
        print("timeout", flush=True)
    except NodeInterrupted:
        print("interrupted", flush=True)
"""


class Bodies(Child):
    """A process that runs a body for each line it is given."""

    def __post_init__(self) -> None:
        import subprocess

        self.process = subprocess.Popen(
            [sys.executable, "-c", self.body], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.wait_output(b"ready")

    def begin(self, seconds: float, deadline: float = 0.0) -> SlotView:
        """Begin a body and wait until its page says so."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{seconds} {deadline}\n".encode())
        self.process.stdin.flush()
        wait_for(lambda: self.view().in_body)
        return self.view()

    @property
    def path(self) -> Path:
        return page.directory() / f"{os.getpid()}.{self.pid}.1.slot"

    def view(self) -> SlotView:
        found = page.view_of(self.path)
        assert found
        return found


@pytest.fixture(autouse=True)
def _own_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "directory", lambda: tmp_path)


@pytest.fixture
def bodies(tmp_path: Path) -> Iterator[Bodies]:
    made = Bodies(BODIES.format(path=sys.path, pages=str(tmp_path)))
    yield made
    made.end()


@pytest.fixture
def deadlines() -> Deadlines:
    return Deadlines()


def test_a_body_over_its_deadline_is_told(deadlines: Deadlines, bodies: Bodies) -> None:
    found = bodies.begin(60.0, deadline=0.2)
    deadlines.enforce()
    assert not bodies.view().deadline < time.monotonic() - 0.2
    wait_for(lambda: time.monotonic() > found.deadline)
    deadlines.enforce()
    bodies.wait_output(b"timeout")


def test_a_body_without_a_deadline_is_left_alone(deadlines: Deadlines, bodies: Bodies) -> None:
    bodies.begin(0.3)
    deadlines.enforce()
    bodies.wait_output(b"ended")


def test_a_body_that_is_not_wanted_is_interrupted(deadlines: Deadlines, bodies: Bodies) -> None:
    found = bodies.begin(60.0)
    deadlines.ask(bodies.path, found)
    bodies.wait_output(b"interrupted")


def test_the_word_is_for_that_body_alone(deadlines: Deadlines, bodies: Bodies) -> None:
    # Given the keeper has looked at one body, and the next one runs by now
    old = bodies.begin(0.3)
    bodies.wait_output(b"ended")
    new = bodies.begin(0.5)
    assert new.serial == old.serial + 1
    # When it tells the old one
    deadlines.ask(bodies.path, view(bodies.pid, 0, in_body=True, serial=old.serial))
    # Then the new one ends undisturbed
    bodies.wait_output(b"ended")


def test_a_body_is_told_once_a_second(deadlines: Deadlines, bodies: Bodies) -> None:
    found = bodies.begin(60.0)
    deadlines._told[bodies.path] = found.serial, time.monotonic()
    deadlines.ask(bodies.path, found)
    assert bodies.view().in_body
    deadlines._told[bodies.path] = found.serial, time.monotonic() - 2
    deadlines.ask(bodies.path, found)
    bodies.wait_output(b"interrupted")


def test_a_process_that_does_not_listen_is_killed_after_the_grace(deadlines: Deadlines) -> None:
    deaf = Child("import signal, time; signal.signal(signal.SIGUSR2, signal.SIG_IGN);"
                 " print('ready', flush=True); time.sleep(600)")  # fmt: skip
    deaf.wait_output(b"ready")
    body: dict[str, Any] = {"in_body": True, "serial": 1, "begun": 1}
    # Given it is over its deadline, but not by the grace
    path = write_page(os.getpid(), view(deaf.pid, 1, deadline=time.monotonic() - 1, **body))
    deadlines.enforce()
    assert state_of(deaf.pid) is ProcessState.ALIVE
    # When the grace is over
    write_page(os.getpid(), view(deaf.pid, 1, deadline=time.monotonic() - 60, **body))
    deadlines.enforce()
    # Then
    assert deaf.process.wait(60) == -signal.SIGKILL
    assert deadlines.ended(path, view(deaf.pid, 1, in_body=True, serial=1))
    assert not deadlines.ended(path, view(deaf.pid, 1, in_body=True, serial=2))
    assert not deadlines.ended(path, view(deaf.pid, 1, in_body=False, serial=1))


def test_this_process_is_not_killed(deadlines: Deadlines, caplog: pytest.LogCaptureFixture) -> None:
    # A pool of threads: the keeper's own process.
    late = time.monotonic() - 60
    found = view(os.getpid(), 1, in_body=True, serial=1, deadline=late)
    path = write_page(os.getpid(), found)
    deadlines.enforce()
    deadlines.enforce()
    assert deadlines.ended(path, found)
    assert caplog.text.count("its slot is lost") == 1


def test_states_of_processes() -> None:
    child = Child()
    assert state_of(child.pid, parent=os.getpid()) is ProcessState.ALIVE
    assert state_of(child.pid, parent=1) is ProcessState.DEAD  # the number of another's child
    child.stop()
    assert state_of(child.pid, parent=os.getpid()) is ProcessState.STOPPED
    os.kill(child.pid, signal.SIGCONT)
    wait_for(lambda: state_of(child.pid) is ProcessState.ALIVE)
    child.kill()
    assert state_of(child.pid) is ProcessState.DEAD  # a zombie
    child.end()
    assert is_dead(child.pid)
    assert not is_dead(1)


def test_states_where_there_is_no_proc() -> None:
    from celesta_worker.processes import _from_signals

    child = Child()
    assert _from_signals(child.pid, os.getpid()) is ProcessState.ALIVE
    assert _from_signals(child.pid, None) is ProcessState.ALIVE
    child.stop()
    assert _from_signals(child.pid, os.getpid()) is ProcessState.STOPPED
    child.kill()
    assert _from_signals(child.pid, os.getpid()) is ProcessState.DEAD
    child.end()
    assert _from_signals(child.pid, os.getpid()) is ProcessState.DEAD
