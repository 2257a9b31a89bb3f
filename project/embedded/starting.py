"""Starting a private server and waiting until it answers."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from project.embedded.problems import PortTaken, ServerProblem, length
from project.processes.child import Child, Command

PATIENCE = 60.0  # seconds; recovery after a crash replays the log of changes first
PORT_TRIES = 5


class Server(Protocol):
    """What PostgreSQL and Valkey have in common."""

    name: str
    title: str
    log: Path
    log_start: int
    port: int

    @property
    def url(self) -> str:
        """Return the URL that clients use."""

    def prepare(self) -> None:
        """Make what the server needs before its first start."""

    def choose_port(self) -> None:
        """Choose a port that is free now."""

    def command(self) -> Command:
        """Return the command that starts it."""

    def is_ready(self) -> bool:
        """Tell whether it answers."""

    def problem(self) -> ServerProblem:
        """Return why it ended."""

    def set_aside(self) -> str | None:
        """Move unreadable data away if they can be spared; return what to tell then."""


def start(
    server: Server,
    run: Path,
    *,
    tell: Callable[[str], object] = print,
    pause: Callable[[float], object] = time.sleep,
) -> Child:
    """Start a server and wait until it answers; raise ServerProblem if it does not.

    `tell` is given what the user should hear of. `pause` waits so many seconds; what it raises
    ends the waiting.
    """
    server.prepare()
    for _ in range(PORT_TRIES):
        server.choose_port()
        try:
            return _start_once(server, run, pause)
        except PortTaken:
            continue  # somebody was quicker: choose again
        except ServerProblem:
            told = server.set_aside()
            if told is None:
                raise
            tell(told)
    raise server.problem()


def launch(server: Server, run: Path) -> Child:
    """Start a server's process, its output going to its log."""
    command = server.command()
    server.log_start = length(server.log)
    with server.log.open("ab") as log:
        return Child.start(command, run, log)


def _start_once(server: Server, run: Path, pause: Callable[[float], object]) -> Child:
    """Start a server on the port it chose, and wait."""
    child = launch(server, run)
    deadline = time.monotonic() + PATIENCE
    while not server.is_ready():
        if child.exit_code is not None:
            raise server.problem()
        if time.monotonic() > deadline:
            raise ServerProblem(
                f"{server.title} did not answer within {PATIENCE:.0f} s: see {server.log}."
            )
        pause(0.05)
    return child
