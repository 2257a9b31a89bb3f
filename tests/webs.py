"""Real web processes for tests: the server that `make up` runs, on the test's database."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from project import ROOT
from project.embedded import ports
from project.processes.child import Child, Command
from project.processes.ending import end_all
from project.processes.record import Ending
from tests.processes import wait_for, worker_environment


class WebProcess:
    """A real `uvicorn project.asgi`. Use it with `transactional_db`: it sees committed rows only.

    The test holds its socket, so no other process can take the port before it listens.
    """

    def __init__(
        self, name: str, directory: Path, env: Mapping[str, str] | None = None, *, grace: int = 5
    ) -> None:
        """``grace``: seconds that open answers get when it ends."""
        self.name = name
        self.log = directory / f"{name}.log"
        self._directory = directory
        self._env = {"DATABASE_POOL_SIZE": "10", **worker_environment(), **(env or {})}
        self._grace = str(grace)
        self._listener = ports.listen(0)
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Return its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def pid(self) -> int:
        """Return the number of the process."""
        assert self._child, f"{self.name} has not been started"
        return self._child.popen.pid

    def start(self) -> "WebProcess":
        """Start it and wait until it answers."""
        listener = self._listener.fileno()
        served = ["project.asgi:application", "--fd", str(listener), "--lifespan", "off"]
        quiet = ["--no-access-log", "--log-level", "warning"]
        ends = ["--timeout-graceful-shutdown", self._grace]
        command = Command(
            self.name,
            [sys.executable, "-m", "uvicorn", *served, *quiet, *ends],
            env=self._env,
            cwd=ROOT,
            pass_fds=(listener,),
            ending=Ending(((signal.SIGTERM, 10.0),)),
        )
        with self.log.open("ab") as log:
            self._child = Child.start(command, self._directory, log)
        wait_for(self._answers, 60.0, self.output)
        return self

    def stop(self) -> None:
        """End it; nothing if it has ended."""
        if self._child:
            end_all([self._child.record])
            self._child.popen.wait()
        self._listener.close()

    def output(self) -> str:
        """Return what it has printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _answers(self) -> bool:
        assert self._child
        assert self._child.exit_code is None, f"it has ended:\n{self.output()}"
        try:
            return httpx.get(f"{self.url}/health/live", timeout=30).is_success
        except httpx.HTTPError:
            return False
