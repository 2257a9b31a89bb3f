"""The client: one object, and under it what the API has, by the same names."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from celesta.client.backfills import Backfills
from celesta.client.dead_letters import DeadLetters
from celesta.client.runs import Runs
from celesta.client.schedules import Schedules
from celesta.client.templates import Templates
from celesta.client.tokens import Tokens
from celesta.client.transport import Transport
from celesta.client.variables import Variables
from celesta.client.workflows import Workflows
from celesta.client.workspaces import Members, Workspaces


class Celesta:
    """The API of a Celesta: ``Celesta("https://flows.example.com", token)``.

    Answers are the API's own JSON, as dictionaries. Every method raises a
    :class:`~celesta.client.errors.CelestaError`. Not to be shared by threads.
    """

    def __init__(self, url: str, token: str, *, workspace: str = "", **options: Any) -> None:
        """``options`` are those of Transport: ``timeout`` (seconds), ``attempts``, ``verify``."""
        self.transport = Transport(url, token, workspace=workspace, **options)
        self.workflows = Workflows(self.transport)
        self.runs = Runs(self.transport)
        self.schedules = Schedules(self.transport)
        self.backfills = Backfills(self.transport)
        self.dead_letters = DeadLetters(self.transport)
        self.variables = Variables(self.transport)
        self.templates = Templates(self.transport)
        self.tokens = Tokens(self.transport)
        self.workspaces = Workspaces(self.transport)
        self.members = Members(self.transport)

    def me(self) -> dict[str, Any]:
        """Who the token stands for, and what it may do where."""
        return self._read("me/")

    def overview(self) -> dict[str, Any]:
        """How the workspace is doing: ``{open, recent, queues, failures, slowest}``."""
        return self._read("overview/")

    def cluster(self) -> dict[str, Any]:
        """Who leads, which workers there are and what waits, for operators."""
        return self._read("cluster/")

    def _read(self, path: str) -> dict[str, Any]:
        body: dict[str, Any] = self.transport.call("GET", path).json()
        return body

    def close(self) -> None:
        """Close the connections."""
        self.transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
