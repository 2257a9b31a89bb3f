"""Driving `python -m project up` as a user would: its own process, directory and terminal."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import psutil

from project import ROOT
from project.embedded import accounts
from tests.processes import wait_for

# What the tests' own servers have put into the environment, and what would steer `up` elsewhere.
NOT_HANDED_ON = (
    *("DATABASE_URL", "BROKER_URL", "SECRET_KEY", "PUBLIC_URL", "DEBUG", "CELESTA_HOME"),
    *("WEB_PORT", "FLOWER_PORT", "WORKER_QUEUES", "MAKELEVEL", "DJANGO_SETTINGS_MODULE"),
)
LOCAL = httpx.Client(timeout=60)


class Up:
    """A running `up` in a private directory."""

    def __init__(
        self, home: Path, *, demonstrate: bool = False, user: int | None = None, cwd: Path = ROOT
    ) -> None:
        self.home = home
        beside = home if cwd == ROOT else cwd  # never inside a clone: it must stay as it is
        self.printed = beside.with_name(f"{beside.name}.printed")
        self.popen: subprocess.Popen[bytes] | None = None
        self._user = user
        self._cwd = cwd
        self._born: set[psutil.Process] = set()
        if not demonstrate:
            home.mkdir(parents=True, exist_ok=True)
            (home / "demonstrated").touch()

    def start(self, command: Sequence[str] = (), **variables: str) -> "Up":
        """Start it in a session of its own, its output going to a file."""
        argv = [*command] or [sys.executable, "-m", "project", "up"]
        identity = {} if self._user is None else {"user": self._user, "group": self._user}
        with self.printed.open("wb") as output:
            self.popen = subprocess.Popen(
                argv,
                cwd=self._cwd,
                env=environment(self.home, variables, self._cwd),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **identity,  # type: ignore[call-overload]
            )
        return self

    def wait_up(self, deadline: float = 60.0) -> "Up":
        """Wait until it says that Celesta is up."""
        wait_for(
            lambda: self.has_ended or "Celesta is up" in self.output, deadline, lambda: self.output
        )
        assert not self.has_ended, self.output
        return self

    def signal(self, number: int) -> None:
        """Send a signal to the supervisor, remembering everything that runs under it."""
        self.remember()
        assert self.popen
        self.popen.send_signal(number)

    def remember(self) -> set[psutil.Process]:
        """Return all processes that have been seen under the supervisor."""
        assert self.popen
        supervisor = psutil.Process(self.popen.pid)
        self._born |= {supervisor, *supervisor.children(recursive=True)}
        return self._born

    def left(self) -> list[str]:
        """Return what still runs of all that has been seen."""
        alive = (process for process in self._born if process.is_running())
        return [f"{process.pid}" for process in alive if process.status() != psutil.STATUS_ZOMBIE]

    def stop(self) -> None:
        """End it, however it stands."""
        if self.popen and self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
            self.popen.wait(60)

    def erase(self) -> None:
        """End it, and delete its database wherever it is: under root, not always in the home."""
        self.stop()
        accounts.erase(self.home)

    @property
    def has_ended(self) -> bool:
        """Tell whether the started process has ended."""
        return bool(self.popen and self.popen.poll() is not None)

    @property
    def output(self) -> str:
        """Return all that it has printed."""
        return self.printed.read_text(errors="replace")

    @property
    def published(self) -> dict[str, str]:
        """Return what it tells other terminals."""
        lines = (self.home / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def pid(self, name: str) -> int:
        """Return the number of a service's or server's process."""
        return int(json.loads((self.home / "run" / f"{name}.json").read_text())["pid"])

    def get(self, path: str, name: str = "PUBLIC_URL", **options: object) -> httpx.Response:
        """Ask the web server, or what else has a published URL."""
        return LOCAL.get(self.published[name] + path, **options)  # type: ignore[arg-type]

    def answers(self) -> bool:
        """Tell whether the web server answers."""
        try:
            return self.get("/health/live").status_code == 200
        except (OSError, httpx.HTTPError):
            return False

    def database_url(self) -> str:
        """Return the URL of its database."""
        return self.published["DATABASE_URL"]


def environment(home: Path, variables: Mapping[str, str], checkout: Path = ROOT) -> dict[str, str]:
    """Return the environment of a user who has set nothing but `variables`."""
    kept = {name: value for name, value in os.environ.items() if name not in NOT_HANDED_ON}
    paths = os.pathsep.join(str(checkout / part) for part in ("", "apps", "workers"))
    return {**kept, "PYTHONPATH": paths, "CELESTA_HOME": str(home), **variables}


def run(home: Path, command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run another command of `python -m project` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "project", command],
        cwd=ROOT,
        env=environment(home, variables),
        check=False,
        capture_output=True,
        text=True,
        timeout=90,
    )


def problem(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line that says what went wrong; AssertionError if there is more or none."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr == ""
    lines = [line for line in done.stdout.splitlines() if not re.match(r"\s+(✓|All is down)", line)]
    assert len(lines) == 1, done.stdout
    return lines[0]
