"""The two workers under test, as processes of their own."""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from project import ROOT
from project.embedded.problems import tail
from project.processes.child import Child, Command
from project.processes.ending import end_all
from project.processes.record import Ending

#: The same for both sides: neither needs to talk to other workers.
SOLITARY = ("--without-gossip", "--without-mingle")
STARTING = 60.0  # seconds


class WorkerFailed(Exception):
    """A worker did not start; the message has the end of what it printed."""


class Worker:
    """A Celery worker with its pool."""

    def __init__(
        self, name: str, arguments: Sequence[str], env: Mapping[str, str], directory: Path
    ) -> None:
        self.name = name
        self._directory = directory
        self._ready = directory / f"{name}.ready"
        self._log = directory / "logs" / f"{name}.log"
        self._command = Command(
            name,
            [sys.executable, "-m", "celery", "-q", *arguments, "-n", f"{name}@%h", *SOLITARY],
            env={**env, "CELESTA_READY_FILE": str(self._ready)},
            cwd=ROOT,
            ending=Ending(((signal.SIGTERM, 8.0), (signal.SIGQUIT, 2.0))),
        )
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Return the number of the main process; 0 before the start."""
        return self._child.popen.pid if self._child else 0

    @property
    def settings(self) -> str:
        """Return the command line, without the interpreter."""
        return " ".join(self._command.argv[2:])

    def start(self) -> None:
        """Start it and wait until it consumes; raise WorkerFailed if it does not."""
        self._ready.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._child = Child.start(self._command, self._directory / "run", log)
        deadline = time.monotonic() + STARTING
        while not self._ready.exists():
            if self._child.exit_code is not None or time.monotonic() > deadline:
                self.stop()
                raise WorkerFailed(f"{self.name} did not start:\n{self.output()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it with its pool; nothing if it does not run."""
        if self._child:
            end_all([self._child.record])
            self._child.popen.wait()
            self._child = None

    def output(self) -> str:
        """Return the last lines that it printed."""
        return "\n".join(tail(self._log, 30))


def celesta_worker(directory: Path, concurrency: int) -> Worker:
    """Return the worker of the reference project."""
    from benchmarks.names import QUEUE

    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}
    return Worker("celesta", _arguments("project", concurrency, "-Q", QUEUE), env, directory)


def raw_worker(directory: Path, concurrency: int, prefetch: int) -> Worker:
    """Return the worker of the raw canvas."""
    # With Django's settings in the environment Celery would load Django into it.
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    arguments = _arguments(
        "benchmarks.raw_canvas", concurrency, "--prefetch-multiplier", str(prefetch)
    )
    return Worker("raw", arguments, kept, directory)


def _arguments(app: str, concurrency: int, *more: str) -> list[str]:
    pool = ("-P", "prefork", "-c", str(concurrency))
    return ["-A", app, "worker", *pool, "-l", "WARNING", *more]
