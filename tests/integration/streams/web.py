"""A real web process, and readers of its streams."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from project import ROOT
from project.processes.child import Child, Command
from project.processes.ending import end_all
from project.processes.record import Ending
from tests.processes import wait_for, worker_environment


@dataclass(frozen=True)
class Told:
    """One message of a stream."""

    id: str
    event: str
    data: Any


class WebProcess:
    """`uvicorn project.asgi:application` on the test's database, on a free port."""

    def __init__(self, name: str, directory: Path, env: dict[str, str]) -> None:
        self.log = directory / f"{name}.log"
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            quick = ["--timeout-graceful-shutdown", "1", "--lifespan", "off"]
            argv = [
                *(sys.executable, "-m", "uvicorn", "project.asgi:application"),
                *("--fd", str(listener.fileno()), *quick),
            ]
            command = Command(
                name, argv, env={**worker_environment(), **env}, cwd=ROOT,
                pass_fds=(listener.fileno(),), ending=Ending(((signal.SIGTERM, 5.0),)),
            )  # fmt: skip
            with self.log.open("ab") as log:
                self._child = Child.start(command, directory, log)
        self.url = f"http://127.0.0.1:{self.port}"
        wait_for(self._answers, told=self.output)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._child.popen.pid

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/live", timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    @contextmanager
    def stream(self, path: str, token: str, **headers: str) -> Iterator[Iterator[Told]]:
        """Messages of a stream, as they come; ends when the server ends it."""
        sent = {"Authorization": f"Bearer {token}", **headers}
        timeout = httpx.Timeout(60.0)
        with httpx.stream(
            "GET", f"{self.url}/api/v1/{path}", headers=sent, timeout=timeout
        ) as answer:
            assert answer.status_code == 200, answer.read()
            yield messages(answer.iter_lines())

    def stop(self) -> None:
        """End it."""
        end_all([self._child.record])
        self._child.popen.wait()

    def output(self) -> str:
        """What it printed."""
        return self.log.read_text(errors="replace")


def messages(lines: Iterator[str]) -> Iterator[Told]:
    """The messages in an answer's lines."""
    id_, event, data = "", "", ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            id_ = value
        elif name == "event":
            event = value
        elif name == "data":
            data = value
        elif not line and event:
            yield Told(id_, event, orjson.loads(data))
            event = data = ""
