"""Seeing that code has changed, for `make dev`."""

from pathlib import Path
from time import monotonic

from project import ROOT

WATCHED = ("apps", "workers", "project", "examples")
SUFFIXES = frozenset({".py", ".sql"})
EVERY = 1.0  # seconds: a look at some hundred files takes a few milliseconds


class Changes:
    """The watched files as they were at the last look."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
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
        found = {}
        for directory in WATCHED:
            for path in (self._root / directory).rglob("*"):
                if path.suffix in SUFFIXES:
                    found[path] = _changed_at(path)
        return found


def _changed_at(path: Path) -> int:
    """Return when a file was changed; 0 if an editor has just moved it away."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
