"""Building the visual pages anew when their sources change, for `make dev`."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from project import ROOT
from project.embedded.home import Home
from project.frontend.pages import Pages
from project.processes import record
from project.processes.child import Child, Command, python
from project.supervisor.reload import Changes

NAME = "pages"
BUILD = tuple(python("-m", "project.frontend", "build"))


class Rebuild:
    """One build at a time, beside the services; what it says of itself goes to `tell`."""

    def __init__(
        self,
        home: Home,
        tell: Callable[[str, str], None],
        sources: Callable[[], Iterable[Path]] | None = None,
        build: Sequence[str] = BUILD,
    ) -> None:
        self._home = home
        self._tell = tell
        self._build = build
        self._changes = Changes(sources or Pages().sources)
        self._child: Child | None = None
        self._begun = 0.0
        self._waiting: list[Path] = []

    def tend(self) -> None:
        """Notice changes and the end of a build; start the next build."""
        self._waiting += [path for path in self._changes.since_last() if not path.is_dir()]
        if self._child and self._child.exit_code is not None:
            self._told(self._child.exit_code)
            record.forget(self._home.run, NAME)
            self._child = None
        if self._waiting and not self._child:
            self._start()

    def _start(self) -> None:
        """Start a build of what has changed."""
        names = ", ".join(dict.fromkeys(path.name for path in self._waiting[:3]))
        self._waiting = []
        self._tell(NAME, f"{names} changed; building")
        self._begun = time.monotonic()
        with self._home.log(NAME).open("wb") as log:
            command = Command(NAME, self._build, cwd=ROOT)
            self._child = Child.start(command, self._home.run, log)

    def _told(self, code: int) -> None:
        """Say how a build ended."""
        if not code:
            seconds = time.monotonic() - self._begun
            self._tell(NAME, f"built in {seconds:.1f} s: load the page again to see it")
            return
        log = self._home.log(NAME)
        for line in log.read_text(errors="replace").splitlines():
            self._tell(NAME, line)
        self._tell(NAME, "not built: the pages stay as they were until the next change")
