"""What the system knows of a process: whether it lives, is stopped, or only waits to be buried."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path

#: The states of ``/proc/<pid>/stat``: zombies and dead ones; stopped ones, also by a debugger.
_DEAD, _STOPPED = "ZXx", "Tt"


class ProcessState(Enum):
    """How a process is."""

    ALIVE = "alive"
    STOPPED = "stopped"
    DEAD = "dead"


def state_of(pid: int, *, parent: int | None = None) -> ProcessState:
    """How the process is now. A zombie is dead; so is a number that another's child took."""
    return _look(pid, parent)


def is_dead(pid: int) -> bool:
    """True when there is no such process, or only what is left of it."""
    return state_of(pid) is ProcessState.DEAD


def _from_proc(pid: int, parent: int | None) -> ProcessState:
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ProcessState.DEAD
    # The name may hold anything, brackets too: the fields begin after its last bracket.
    fields = stat[stat.rindex(b")") + 2 :].split()
    state, parent_found = fields[0].decode(), int(fields[1])
    if state in _DEAD or (parent is not None and parent_found != parent):
        return ProcessState.DEAD
    return ProcessState.STOPPED if state in _STOPPED else ProcessState.ALIVE


def _from_signals(pid: int, parent: int | None) -> ProcessState:
    """Where there is no ``/proc`` (macOS): ask by signal 0 and, for our own children, by waitid."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ProcessState.DEAD
    except PermissionError:
        # Somebody else's: no child of ours is.
        return ProcessState.DEAD if parent is not None else ProcessState.ALIVE
    if parent != os.getpid() or not hasattr(os, "waitid"):
        return ProcessState.ALIVE
    try:
        # WNOWAIT leaves the status for the pool, which buries its children itself.
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return ProcessState.DEAD
    if found is None:
        return ProcessState.ALIVE
    stopped = found.si_code in (os.CLD_STOPPED, os.CLD_TRAPPED)
    return ProcessState.STOPPED if stopped else ProcessState.DEAD


_look: Callable[[int, int | None], ProcessState] = (
    _from_proc if Path("/proc/self/stat").exists() else _from_signals
)
