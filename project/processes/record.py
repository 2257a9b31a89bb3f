"""What is written down of a running process: who it is, and how it wants to be ended."""

import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

# A recorded birth time may differ from the one asked for later by rounding and by clock steps.
BIRTH_TOLERANCE = 2.0


@dataclass(frozen=True)
class Ending:
    """How to end a process: signals, each with the seconds given to it; then SIGKILL.

    Processes of a lower `rank` are ended before those of a higher one are asked: what uses a
    server goes before the server.
    """

    signals: tuple[tuple[int, float], ...] = ((signal.SIGTERM, 8.0),)
    rank: int = 0


@dataclass(frozen=True)
class Record:
    """A process as its record in the run directory describes it."""

    name: str
    pid: int
    born: float
    ending: Ending

    def process(self) -> psutil.Process | None:
        """Return the living process, or None: ended, a zombie, or the number is another's now."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born) < BIRTH_TOLERANCE
        except psutil.NoSuchProcess:
            return None
        return process if same and not _is_zombie(self.pid) else None

    def family(self) -> list[psutil.Process]:
        """Return every living process of the group that this process leads or led.

        While a group has members the system gives its number to no new process: a leader that
        is not ours proves that the group is not ours either.
        """
        if psutil.boot_time() > self.born + BIRTH_TOLERANCE:
            return []
        if self.process() is None and psutil.pid_exists(self.pid) and not _is_zombie(self.pid):
            return []
        members = [each for each in psutil.process_iter() if _in_group(each, self.pid)]
        return [each for each in members if each.create_time() > self.born - BIRTH_TOLERANCE]


def write(directory: Path, record: Record) -> Path:
    """Write the record whole or not at all, and return its path."""
    path = directory / f"{record.name}.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(path)
    return path


def forget(directory: Path, name: str) -> None:
    """Remove a record that is of no more use."""
    (directory / f"{name}.json").unlink(missing_ok=True)


def read(path: Path) -> Record | None:
    """Return the record in a file; None if it is gone or was cut short by a crash."""
    try:
        data = json.loads(path.read_text())
        signals = tuple((int(number), float(grace)) for number, grace in data["ending"]["signals"])
        ending = Ending(signals, int(data["ending"]["rank"]))
        return Record(str(data["name"]), int(data["pid"]), float(data["born"]), ending)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_all(directory: Path) -> list[Record]:
    """Return every readable record of a run directory."""
    return [record for path in sorted(directory.glob("*.json")) if (record := read(path))]


def _in_group(process: psutil.Process, group: int) -> bool:
    """Tell whether a process is in a group and still runs."""
    try:
        return os.getpgid(process.pid) == group and not _is_zombie(process.pid)
    except (ProcessLookupError, PermissionError):
        return False


def _is_zombie(pid: int) -> bool:
    """Tell whether a process has ended, be it still listed."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
