"""The web process under test: the server that `make up` runs."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Self

import httpx

from project import ROOT
from project.embedded import ports
from project.embedded.problems import ServerProblem, tail
from project.processes.child import Child, Command
from project.processes.ending import end_all
from project.processes.record import Ending

STARTING = 60.0  # seconds


class Web:
    """A context in which `uvicorn project.asgi` answers at `url`, on the benchmark's database."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._listener = ports.listen(0)
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """Return its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        number = self._listener.fileno()
        command = Command(
            "web",
            [
                *(sys.executable, "-m", "uvicorn", "project.asgi:application"),
                *("--fd", str(number), "--no-access-log", "--log-level", "warning"),
                *("--lifespan", "off"),
            ],
            env={**os.environ, "STATIC_FROM_APPS": "1"},
            cwd=ROOT,
            pass_fds=(number,),
            ending=Ending(((signal.SIGTERM, 8.0),)),
        )
        log = self._directory / "logs" / "web.log"
        with log.open("ab") as output:
            self._child = Child.start(command, self._directory / "run", output)
        deadline = time.monotonic() + STARTING
        while not self._answers():
            if self._child.exit_code is not None or time.monotonic() > deadline:
                self.__exit__()
                raise ServerProblem("\n".join(["The web server did not start:", *tail(log, 30)]))
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        if self._child:
            end_all([self._child.record])
            self._child.popen.wait()
        self._listener.close()

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live", timeout=5).is_success
        except httpx.HTTPError:
            return False
