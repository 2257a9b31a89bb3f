"""Files lying among the packages that no distribution claims."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from examples.package_audit import metadata, record
from examples.package_audit.places import Distribution, distributions, shown

MAX_FILES = 50


@dataclass(frozen=True)
class Unowned:
    """How many files nobody claims, their size in bytes, and the first of their paths."""

    count: int = 0
    bytes: int = 0
    files: list[str] = field(default_factory=list)


def unowned(places: list[Path]) -> Unowned:
    """Look through all places. Compiled files are passed over: Python makes them."""
    found = [path for place in places for path in _strays(place)]
    return Unowned(
        count=len(found),
        bytes=sum(path.lstat().st_size for path in found),
        files=[shown(str(path)) for path in sorted(found)[:MAX_FILES]],
    )


def _strays(place: Path) -> Iterator[Path]:
    owned, roots = _claims(place)
    for folder, folders, names in os.walk(place):
        here = Path(folder)
        folders[:] = [
            name for name in folders if name != "__pycache__" and here / name not in roots
        ]
        for name in names:
            path = here / name
            if path.suffix != ".pyc" and path not in owned and path not in roots:
                yield path


def _claims(place: Path) -> tuple[set[Path], set[Path]]:
    """The files claimed one by one, and the files and folders claimed as a whole."""
    owned: set[Path] = set()
    roots: set[Path] = set()
    for distribution in distributions(place):
        entries = _entries(distribution)
        owned.update(entry.within(place) for entry in entries)
        if not entries:
            roots.update(_without_record(distribution))
    return owned, roots


def _entries(distribution: Distribution) -> list[record.Entry]:
    try:
        return record.read(Path(distribution.info)) or []
    except record.RecordUnreadable:
        return []


def _without_record(distribution: Distribution) -> Iterator[Path]:
    # Operating systems strip RECORD: their packages are known by name only.
    info = Path(distribution.info)
    yield info
    named = metadata.text(info / "top_level.txt").split() or [
        distribution.name,
        distribution.name.replace("-", "_").lower(),
    ]
    for name in named:
        yield distribution.place / name
        yield distribution.place / f"{name}.py"
