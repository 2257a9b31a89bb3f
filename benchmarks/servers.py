"""The servers of one benchmark: those that URLs name, else private ones, durable."""

import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.names import DATABASE
from project import ROOT
from project.embedded import accounts
from project.embedded.home import Home
from project.embedded.postgres import Postgres
from project.embedded.problems import ServerProblem
from project.embedded.starting import Server, start
from project.embedded.valkey import Valkey
from project.processes.child import Child
from project.processes.ending import end_all
from project.processes.warden import Warden

#: Not the directory for temporary files: that may be in memory, where commits cost nothing.
RESULTS = ROOT / "benchmarks" / "results"


@dataclass
class Servers:
    """A context in which DATABASE_URL and BROKER_URL name running servers.

    Settings are read only inside it, and find nothing of a `make up` in this clone. `directory` is
    for logs and records of processes; it goes with the context.
    """

    directory: Path = Path()
    private: bool = False
    _home: Home | None = None
    _warden: Warden | None = None
    _children: list[Child] = field(default_factory=list)

    @property
    def run(self) -> Path:
        """Return where processes are recorded: whatever is in it ends with us."""
        return self.directory / "run"

    def __enter__(self) -> Self:
        RESULTS.mkdir(exist_ok=True)
        self.directory = Path(tempfile.mkdtemp(prefix="servers-", dir=RESULTS))
        self._home = Home(self.directory)
        self._home.prepare()
        self._warden = Warden(self.run)
        try:
            self._set_environment(self._home)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end_all(child.record for child in self._children)
        if self._warden:
            self._warden.dismiss()
        accounts.erase(self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _set_environment(self, home: Home) -> None:
        database = os.environ.get("DATABASE_URL") or self._started(Postgres(home), home)
        broker = os.environ.get("BROKER_URL") or self._started(Valkey(home), home)
        scheme, _, rest = broker.partition("://")
        if scheme not in ("redis", "rediss", "valkey", "valkeys"):
            raise ServerProblem(
                "BROKER_URL must name a Redis or Valkey: raw canvas keeps its results there; "
                "unset it to have a private one."
            )
        broker = f"{scheme.replace('valkey', 'redis')}://{rest}"
        os.environ |= {
            "CELESTA_HOME": str(home.path),
            "DATABASE_URL": database,
            "BROKER_URL": broker,
            "CELESTA_BENCH_BROKER": broker,
            "SECRET_KEY": secrets.token_urlsafe(48),
            "DEBUG": "0",
            "LOG_LEVEL": "WARNING",
        }

    def _started(self, server: Server, home: Home) -> str:
        self._children.append(start(server, home.run))
        self.private = True
        return server.url


class OwnDatabase:
    """A context in which DATABASE_URL names a database of the benchmark's own, with our tables."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._server = os.environ["DATABASE_URL"]

    def __enter__(self) -> Self:
        self._on_server(f"CREATE DATABASE {DATABASE}")
        if self._latency:
            # Every commit waits that long before it is flushed, as on a slower disk.
            self._on_server(f"ALTER DATABASE {DATABASE} SET commit_siblings = 0")
            delay = round(self._latency * 1e6)
            self._on_server(f"ALTER DATABASE {DATABASE} SET commit_delay = {delay}")
        os.environ["DATABASE_URL"] = self.url
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._on_server(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")

    @property
    def url(self) -> str:
        """Return the URL of the own database."""
        from urllib.parse import urlsplit

        return urlsplit(self._server)._replace(path=f"/{DATABASE}").geturl()

    def _on_server(self, statement: str) -> None:
        import psycopg

        try:
            with psycopg.connect(self._server, autocommit=True, connect_timeout=5) as connection:
                connection.execute(statement.encode())
        except psycopg.Error as error:
            raise ServerProblem(
                f"The benchmark's own database could not be prepared ({statement}): "
                f"{' '.join(str(error).split())}; give a DATABASE_URL whose user may do that."
            ) from error
