"""What processes have used: CPU seconds of whole families, and the most memory they held."""

import platform
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

MB = 1024 * 1024
#: Families whose first member is told apart from the others.
APART = ("worker",)
#: Asked once, and not where it is used: type checkers would take one answer for the only one.
ON_LINUX = platform.system() == "Linux"


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all its descendants that live."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a family since it began, of members that have ended too."""
    return sum(_own(process) + _of_ended(process) for process in family(pid))


def _own(process: psutil.Process) -> float:
    """Return a process' own CPU time, in nanosecond steps where the system tells (Linux)."""
    try:
        if ON_LINUX:
            # The clock of another process (clock_getcpuclockid): /proc counts in steps of 10 ms.
            return time.clock_gettime((~process.pid << 3) | 2)
        times = process.cpu_times()
    except (psutil.NoSuchProcess, OSError):
        return 0.0  # it has ended; its parent has its time
    return float(times.user + times.system)


def _of_ended(process: psutil.Process) -> float:
    """Return the CPU time of the children that a process has had and buried."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(getattr(times, "children_user", 0) + getattr(times, "children_system", 0))


class CpuMeter:
    """Reads what named families have used since the last reading."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        self._roots = roots
        self._before = self._read()

    def used(self) -> dict[str, float]:
        """Return CPU seconds by name since the meter was made, those named in APART in two."""
        now = self._read()
        return {name: now[name] - before for name, before in self._before.items()}

    def _read(self) -> dict[str, float]:
        found = {}
        for name, pid in self._roots.items():
            found[name] = cpu_seconds(pid)
            if name in APART:
                main = _own(psutil.Process(pid))
                found |= {f"{name} main": main, f"{name} pool": found.pop(name) - main}
        return found


def forget_peak(pid: int) -> None:
    """Let the count of the most memory begin anew for a family, where the system can (Linux)."""
    for process in family(pid):
        try:
            Path(f"/proc/{process.pid}/clear_refs").write_text("5")
        except OSError:
            return


def peak_mb(pid: int) -> float:
    """Return the most resident memory of each member of a family, added up, in MB.

    Pages that members share are counted for each of them.
    """
    return sum(_peak(process) for process in family(pid)) / MB


def _peak(process: psutil.Process) -> float:
    try:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) * 1024
        return float(process.memory_info().rss)
    except (OSError, psutil.NoSuchProcess):
        return 0.0
