"""Seeing that sources have changed, for `make dev`."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import monotonic

from project import ROOT
from project.frontend.pages import changed_at

WATCHED = ("apps", "workers", "project", "examples")
SUFFIXES = frozenset({".py", ".sql"})
EVERY = 1.0  # seconds: a look at some hundred files takes a few milliseconds


def code(root: Path = ROOT) -> Iterator[Path]:
    """Yield the files that web, worker and beat have loaded."""
    for directory in WATCHED:
        for path in (root / directory).rglob("*"):
            if path.suffix in SUFFIXES:
                yield path


class Changes:
    """The watched files as they were at the last look."""

    def __init__(self, files: Callable[[], Iterable[Path]] = code) -> None:
        self._files = files
        self._seen = self._look()
        self._next = monotonic() + EVERY

    def since_last(self) -> list[Path]:
        """Return the files that were changed, added or removed; look once a second at most."""
        if monotonic() < self._next:
            return []
        self._next = monotonic() + EVERY
        before, self._seen = self._seen, self._look()
        both = before.keys() | self._seen.keys()
        return sorted(path for path in both if before.get(path) != self._seen.get(path))

    def _look(self) -> dict[Path, int]:
        """Return when each file was changed, in nanoseconds."""
        return {path: changed_at(path) for path in self._files()}
