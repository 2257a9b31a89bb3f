"""Real worker processes for integration and fault tests."""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil
from django.db import connection

from project import ROOT
from project.processes.child import Child, Command
from project.processes.ending import end_all
from project.processes.record import Ending

#: Seconds until what does not happen is a failure. No promise: who succeeds never waits for it,
#: and the machine may be busy with anything.
PATIENCE = 60.0
PATH = os.pathsep.join(str(ROOT / part) for part in ("", "apps", "workers"))


class WorkerProcess:
    """A real `celery -A project worker` on the test's database and broker.

    It leads a process group of its own, and what it prints goes to a file. Use it with
    `transactional_db`: a worker sees committed rows only.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        *,
        queues: str = "default",
        concurrency: int = 1,
        pool: str = "prefork",
        env: Mapping[str, str] | None = None,
        arguments: tuple[str, ...] = (),
        app: str = "project",
    ) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        self._directory = directory
        self._ready = directory / f"{name}.ready"
        self._env = {**worker_environment(), "CELESTA_READY_FILE": str(self._ready), **(env or {})}
        self._argv = [
            *(sys.executable, "-m", "celery", "-A", app, "worker", "-l", "INFO"),
            *("-n", f"{name}@%h", "-Q", queues, "-c", str(concurrency), "-P", pool),
            *arguments,
        ]
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """Return the number of the main process."""
        return self._running().popen.pid

    def start(self) -> None:
        """Start the process; it is ready only after `wait_ready`."""
        self._ready.unlink(missing_ok=True)
        ending = Ending(((signal.SIGTERM, 10.0), (signal.SIGQUIT, 3.0)))
        command = Command(self.name, self._argv, env=self._env, cwd=ROOT, ending=ending)
        with self.log.open("ab") as log:
            self._child = Child.start(command, self._directory, log)

    def wait_ready(self, deadline: float = PATIENCE) -> None:
        """Wait until the worker consumes; AssertionError with its output if it does not."""
        wait_for(self._is_ready, deadline, self.output)

    def children(self) -> list[int]:
        """Return the numbers of its pool processes."""
        return [child.pid for child in psutil.Process(self.pid).children()]

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the main process alone."""
        os.kill(self.pid, number)

    def kill_all(self) -> None:
        """Kill the main process and its pool, as the loss of a host would."""
        child = self._running()
        os.killpg(child.popen.pid, signal.SIGKILL)
        child.popen.wait()

    def wait_ended(self, deadline: float = PATIENCE) -> int:
        """Wait until the main process has ended; return its exit code."""
        return self._running().popen.wait(deadline)

    def stop(self) -> None:
        """End it warmly, then harder; nothing if it has ended."""
        if self._child:
            end_all([self._child.record])
            self._child.popen.wait()

    def output(self) -> str:
        """Return what it has printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _is_ready(self) -> bool:
        """Tell whether it is ready; AssertionError if it has ended instead."""
        code = self._running().exit_code
        assert code is None, f"{self.name} ended with {code}:\n{self.output()}"
        return self._ready.exists()

    def _running(self) -> Child:
        """Return the started child."""
        assert self._child, f"{self.name} has not been started"
        return self._child


def worker_environment() -> dict[str, str]:
    """Return an environment whose DATABASE_URL names the *test* database."""
    return {**os.environ, "DATABASE_URL": worker_database_url(), "PYTHONPATH": PATH}


def worker_database_url() -> str:
    """Return the URL of the database that pytest-django made for this session."""
    parts = connection.settings_dict
    user = quote(parts["USER"] or "")
    password = f":{quote(parts['PASSWORD'])}" if parts["PASSWORD"] else ""
    query = {"host": parts["HOST"], "port": parts["PORT"]}
    known = urlencode({key: value for key, value in query.items() if value})
    return f"postgresql://{user}{password}@/{quote(parts['NAME'])}?{known}"


def wait_for(
    condition: Callable[[], object], deadline: float = PATIENCE, told: Callable[[], str] = str
) -> None:
    """Wait until `condition()` is true; AssertionError with `told()` after `deadline` seconds."""
    ends = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < ends, f"not within {deadline} s: {told()}"
        time.sleep(0.02)
