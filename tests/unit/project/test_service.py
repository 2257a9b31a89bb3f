"""A supervised service: what dies is started again, after a pause that grows and is forgotten."""

import sys
from pathlib import Path

import pytest

from project.processes.child import Child, Command
from project.processes.ending import end_all
from project.supervisor.service import HEALTHY_AFTER, Service, Spec, ending, pause_before
from tests.processes import wait_for


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A service whose process runs a line of Python, with a clock in our hand."""

    def __init__(self, directory: Path, code: str) -> None:
        self.clock = Clock()
        self.told: list[str] = []
        self.shown: list[str] = []
        command = Command("one", [sys.executable, "-c", code])
        self.service = Service(
            Spec("one", lambda: command, lambda: True),
            directory,
            directory / "one.log",
            lambda _, text: self.shown.append(text),
            lambda _, text: self.told.append(text),
            self.clock,
        )
        self.service.start()

    @property
    def child(self) -> Child | None:
        return self.service.child

    def runs(self) -> bool:
        return self.service.child is not None

    def await_death(self) -> None:
        assert self.child
        self.child.popen.wait(60)
        self.service.tend()


def test_pauses_double_up_to_half_a_minute() -> None:
    pauses = [pause_before(failures) for failures in range(1, 9)]
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "ended with exit code 0"), (-9, "was ended by SIGKILL"), (-77, "was ended by signal 77")],
)
def test_how_it_ended_in_words(code: int, words: str) -> None:
    assert ending(code) == words


def test_a_death_is_told_and_the_next_start_waits_its_pause(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "raise SystemExit(3)")
    watched.await_death()
    assert watched.told == ["ended with exit code 3; starting again in 0.5 s"]
    watched.clock.now += 0.4
    watched.service.tend()
    assert not watched.runs()
    watched.clock.now += 0.2
    watched.service.tend()
    assert watched.runs()
    watched.await_death()
    assert watched.told[-1] == "ended with exit code 3; starting again in 1 s"


def test_a_long_healthy_life_wipes_the_slate(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "raise SystemExit(3)")
    watched.service.failures = 6
    watched.clock.now += HEALTHY_AFTER
    watched.await_death()
    assert watched.told == ["ended with exit code 3; starting again in 0.5 s"]


def test_lines_go_to_the_log_and_to_the_terminal(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "print('first'); print('second \\udce4'.encode('utf8', 'replace'))")
    watched.await_death()
    wait_for(lambda: len(watched.shown) == 2)
    assert watched.shown[0] == "first"
    assert (tmp_path / "one.log").read_text().startswith("first\nb'second")


def test_a_reload_is_no_failure_and_waits_for_nothing(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "import time; print('up', flush=True); time.sleep(60)")
    wait_for(lambda: watched.shown == ["up"])
    first = watched.child
    watched.service.reload()
    watched.await_death()
    watched.service.tend()
    second = watched.child
    assert second is not None
    assert second is not first
    assert (watched.told, watched.service.failures) == ([], 0)
    end_all([second.record])
