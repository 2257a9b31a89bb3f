"""Starting a child in a session of its own and writing its record."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from project.processes.record import Ending, Record, write


@dataclass(frozen=True)
class Command:
    """What to start: arguments, environment, place, account (None: our own), how to end it."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cwd: Path | None = None
    account: tuple[int, int] | None = None
    pass_fds: Sequence[int] = ()
    ending: Ending = field(default_factory=Ending)


class Child:
    """A started command."""

    def __init__(self, command: Command, popen: "subprocess.Popen[bytes]", record: Record) -> None:
        self.command = command
        self.popen = popen
        self.record = record

    @classmethod
    def start(cls, command: Command, run: Path, output: int | IO[Any]) -> "Child":
        """Start `command`, write its record into the directory `run`.

        `output` takes what it prints: an open file or subprocess.PIPE.
        """
        popen = subprocess.Popen(
            command.argv,
            env=dict(command.env),
            cwd=command.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is ours alone to handle
            pass_fds=command.pass_fds,
            **_as_account(command.account),
        )
        record = Record(command.name, popen.pid, _birth(popen.pid), command.ending)
        write(run, record)
        return cls(command, popen, record)

    @property
    def exit_code(self) -> int | None:
        """Return the exit code (negative: the signal), or None while it runs."""
        return self.popen.poll()


def python(*arguments: str) -> list[str]:
    """Return the command line of this interpreter with `arguments`."""
    return [sys.executable, *arguments]


def _as_account(account: tuple[int, int] | None) -> dict[str, Any]:
    """Return what makes a child run as another user and in none of our groups."""
    if account is None:
        return {}
    return {"user": account[0], "group": account[1], "extra_groups": []}


def _birth(pid: int) -> float:
    """Return when a process started; 0 if it ended before it could be asked."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0
