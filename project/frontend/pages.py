"""What the visual pages are built from, where they go, and building them one at a time."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from project import ROOT
from project.frontend.node import npm


@dataclass(frozen=True)
class Pages:
    """A front end's source, and where what becomes of it goes."""

    home: Path = ROOT / "frontend"
    built: Path = ROOT / "apps" / "celesta" / "console" / "static" / "celesta" / "built"

    @property
    def last(self) -> Path:
        """The file that is put in place last, as old as the sources are: make looks at it, too."""
        return self.built / "licenses.md"

    def sources(self) -> Iterator[Path]:
        """Yield the files that pages are built from, and the directories they are listed in."""
        yield from (path for path in self.home.iterdir() if path.is_file())
        yield self.home / "src"
        yield from (self.home / "src").rglob("*")

    def up_to_date(self) -> bool:
        """Tell whether nothing has changed since the build."""
        if not self.last.exists():
            return False
        built = self.last.stat().st_mtime_ns
        return all(changed_at(path) <= built for path in self.sources())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the source for one process: two would write each other's packages and pages."""
        descriptor = os.open(self.home, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def build(self) -> str:
        """Build what has changed; return what went wrong. Raises NoNode.

        What is served is replaced file by file when all has succeeded, so that nobody is handed
        half of it, and a build that fails or is killed leaves the pages as they were.
        """
        begun = time.time_ns()
        made = self.home / "node_modules" / ".built"
        failed = self.run("build", "--", "--outDir", str(made), "--emptyOutDir")
        if not failed:
            # A source that was changed meanwhile is newer, and is built the next time.
            os.utime(made / self.last.name, ns=(begun, begun))
            self._put_in_place(made)
        return failed

    def run(self, script: str, *options: str) -> str:
        """Install what the lock names and is missing, run a script; return what went wrong."""
        command, environment = npm()
        lock = self.home / "package-lock.json"
        # npm itself writes this file when it has installed all that the lock names.
        installed = self.home / "node_modules" / ".package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            failed = self._npm([*command, "ci", "--prefer-offline"], environment)
            if failed:
                return failed
            installed.touch()
        return self._npm([*command, "run", "--silent", script, *options], environment)

    def _npm(self, argv: list[str], environment: dict[str, str]) -> str:
        """Run npm; return what it printed if it failed."""
        done = subprocess.run(
            argv,
            cwd=self.home,
            env=environment,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return (done.stdout[-8000:].rstrip() or f"{argv[1:]} failed") if done.returncode else ""

    def _put_in_place(self, made: Path) -> None:
        """Move what was built to where it is served, the last one last, and forget the rest."""
        self.built.mkdir(parents=True, exist_ok=True)
        names = sorted(
            (path.name for path in made.iterdir()), key=lambda name: name == self.last.name
        )
        for name in names:
            shutil.move(made / name, self.built / name)
        for path in self.built.iterdir():
            if path.name not in names:
                path.unlink()


def changed_at(path: Path) -> int:
    """Return when a file was changed, in nanoseconds; 0 if an editor has just moved it away."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
