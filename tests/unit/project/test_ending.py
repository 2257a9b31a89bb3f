"""Ending processes by their records: gently, in order, within bounds, never somebody else's."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from project.processes import record
from project.processes.child import Child, Command
from project.processes.ending import end_all, sweep
from project.processes.record import Ending, Record
from project.processes.warden import Warden
from tests.processes import wait_for

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); "
WILLING = "import time; print('up', flush=True); "
FOREVER = "time.sleep(600)"
QUICK = Ending(((signal.SIGTERM, 0.3), (signal.SIGQUIT, 0.3)))


def start(directory: Path, name: str, code: str, ending: Ending = QUICK) -> Child:
    """Start a line of Python and wait until it says that it is up."""
    log = directory / f"{name}.log"
    command = Command(name, [sys.executable, "-c", code + FOREVER], ending=ending)
    with log.open("wb") as output:
        child = Child.start(command, directory, output)
    wait_for(lambda: "up" in log.read_text())
    return child


def test_the_first_signal_is_enough_for_the_willing(tmp_path: Path) -> None:
    child = start(tmp_path, "willing", WILLING)
    end_all([child.record])
    assert child.popen.wait() == -signal.SIGTERM


def test_the_next_signal_follows_for_the_stubborn(tmp_path: Path) -> None:
    child = start(tmp_path, "stubborn", STUBBORN)
    begun = time.monotonic()
    end_all([child.record])
    assert child.popen.wait() == -signal.SIGQUIT
    assert 0.3 <= time.monotonic() - begun < 30


def test_the_immovable_are_killed(tmp_path: Path) -> None:
    child = start(tmp_path, "immovable", STUBBORN, Ending(((signal.SIGTERM, 0.2),)))
    end_all([child.record])
    assert child.popen.wait() == -signal.SIGKILL


def test_hurry_gives_no_more_time(tmp_path: Path) -> None:
    child = start(tmp_path, "immovable", STUBBORN, Ending(((signal.SIGTERM, 60),)))
    end_all([child.record], hurry=lambda: True)
    assert child.popen.wait() == -signal.SIGKILL


def test_grandchildren_go_with_their_group(tmp_path: Path) -> None:
    spawn = "import subprocess; subprocess.Popen(['sleep', '600']); "
    child = start(tmp_path, "parent", spawn + WILLING)
    grandchildren = psutil.Process(child.popen.pid).children()
    assert len(grandchildren) == 1
    child.popen.kill()  # the parent alone: its group lives on
    child.popen.wait()
    assert sweep(tmp_path) == ["parent"]
    wait_for(lambda: not grandchildren[0].is_running())


def test_servers_are_asked_only_when_their_users_are_gone(tmp_path: Path) -> None:
    tell = "import signal, time, pathlib, sys; signal.signal(15, lambda *_: ({}, sys.exit())); "
    note = "pathlib.Path({!r}, {!r}).write_text(str(time.monotonic()))"
    ranks = {"server": 1, "user": 0}
    children = [
        start(
            tmp_path,
            name,
            tell.format(note.format(str(tmp_path), f"{name}.ended")) + "print('up', flush=True); ",
            Ending(((signal.SIGTERM, 5),), rank),
        )
        for name, rank in ranks.items()
    ]
    end_all([child.record for child in children])
    ended = {name: float((tmp_path / f"{name}.ended").read_text()) for name in ranks}
    assert ended["user"] < ended["server"]


def test_a_reused_number_is_left_alone(tmp_path: Path) -> None:
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        wait_for(lambda: psutil.pid_exists(innocent.pid))
        born = psutil.Process(innocent.pid).create_time() - 3600
        record.write(tmp_path, Record("stale", innocent.pid, born, QUICK))
        assert sweep(tmp_path) == []
        assert innocent.poll() is None
        assert not (tmp_path / "stale.json").exists()
    finally:
        innocent.kill()
        innocent.wait()


def test_a_record_from_before_the_last_boot_means_nobody() -> None:
    own_group = Record("old", os.getpgid(0), psutil.boot_time() - 3600, QUICK)
    assert own_group.process() is None
    assert own_group.family() == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "x"}', '{"pid": "no"}'])
def test_a_record_cut_short_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "cut.json").write_text(text)
    assert record.read(tmp_path / "cut.json") is None
    assert sweep(tmp_path) == []


def test_the_warden_ends_everything_when_its_supervisor_is_gone(tmp_path: Path) -> None:
    child = start(tmp_path, "orphan", WILLING)
    published = tmp_path / "environment"
    published.touch()
    warden = Warden(tmp_path, published)
    warden.dismiss()
    assert child.popen.wait(60) == -signal.SIGTERM
    assert not published.exists()
    assert list(tmp_path.glob("*.json")) == []
