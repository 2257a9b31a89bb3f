"""The servers that tests run on: external ones given by URL, else private ones for this session."""

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from project.embedded.home import Home
from project.embedded.postgres import Postgres
from project.embedded.starting import start
from project.embedded.valkey import Valkey
from project.processes.child import Child
from project.processes.ending import end_all
from project.processes.warden import Warden


@dataclass
class Servers:
    """A context in which DATABASE_URL and BROKER_URL name running servers.

    What the environment names already is used as it is; what it does not is started in a
    temporary directory and ended with the context, or by the warden if this process is killed.
    """

    database_url: str = ""
    broker_url: str = ""
    _directory: Path | None = None
    _warden: Warden | None = None
    _children: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.database_url = os.environ.get("DATABASE_URL", "")
        self.broker_url = os.environ.get("BROKER_URL", "")
        if not (self.database_url and self.broker_url):
            self._start_missing()
        os.environ["DATABASE_URL"] = self.database_url
        os.environ["BROKER_URL"] = self.broker_url
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
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _start_missing(self) -> None:
        """Start a private server for each URL that is not given."""
        self._directory = Path(tempfile.mkdtemp(prefix="celesta tests "))  # a space, on purpose
        home = Home(self._directory)
        home.prepare()
        self._warden = Warden(home.run)
        if not self.database_url:
            postgres = Postgres(home, durable=False)
            self._children.append(start(postgres, home.run))
            self.database_url = postgres.url
        if not self.broker_url:
            valkey = Valkey(home)
            self._children.append(start(valkey, home.run))
            self.broker_url = valkey.url
