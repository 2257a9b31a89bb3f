"""Comparing the files of one distribution with what its RECORD says."""

from __future__ import annotations

import hashlib
import stat
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from examples.package_audit import metadata, record
from examples.package_audit.places import Distribution, shown

#: What can be wrong with a file, worst first.
FAULTS = ("changed", "missing", "unreadable", "not a file")
#: Details kept per distribution: the results of a map stay small.
MAX_PROBLEMS = 5
MAX_PATH = 120


@dataclass(frozen=True)
class Check:
    """The verdict on one distribution; JSON of well under 2 kB. Sizes are in bytes."""

    name: str
    version: str
    place: str
    licence: str
    requires: list[str]
    files: int = 0
    bytes: int = 0
    #: Files whose hash was recorded and is right.
    verified: int = 0
    #: Files that are there, without a recorded hash or with one of a forbidden algorithm.
    unhashed: int = 0
    faults: int = 0
    #: The first faults, each ``{"file", "fault"}``.
    problems: list[dict[str, str]] = field(default_factory=list)
    editable: bool = False
    #: ``ok``, ``none`` (the installer left no RECORD) or the reason why it is unreadable.
    record: str = "ok"


def check(distribution: Distribution) -> Check:
    """Verify every file of a distribution. Faults are findings: none of them raises."""
    info = Path(distribution.info)
    about = _about(distribution, metadata.read(info))
    try:
        entries = record.read(info)
    except record.RecordUnreadable as error:
        return replace(about, record=str(error))
    if entries is None:
        return replace(about, record="none")
    return _compared(about, entries, distribution.place)


def _about(distribution: Distribution, facts: metadata.Metadata) -> Check:
    return Check(
        name=facts.name or distribution.name,
        version=facts.version or distribution.version,
        place=str(distribution.place),
        licence=facts.licence,
        requires=facts.requires,
        editable=facts.editable,
    )


def _compared(about: Check, entries: list[record.Entry], place: Path) -> Check:
    verdicts = [(entry, *judge(entry, entry.within(place))) for entry in entries]
    counts = Counter(verdict for _, verdict, _ in verdicts)
    wrong = [(entry, verdict) for entry, verdict, _ in verdicts if verdict in FAULTS]
    wrong.sort(key=lambda one: FAULTS.index(one[1]))
    return replace(
        about,
        files=len(entries) - counts["missing"] - counts["no cache"],
        bytes=sum(size for _, _, size in verdicts),
        verified=counts["verified"],
        unhashed=counts["unhashed"],
        faults=len(wrong),
        problems=[
            {"file": shown(entry.path)[-MAX_PATH:], "fault": verdict}
            for entry, verdict in wrong[:MAX_PROBLEMS]
        ],
    )


def judge(entry: record.Entry, path: Path) -> tuple[str, int]:
    """The verdict on one file, and its size in bytes as it is now (0 when it is not there)."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device might never end
            return "not a file", 0
        return _hashed(entry, path, status.st_size), status.st_size
    except FileNotFoundError:
        # Python writes and drops compiled files as it likes.
        return ("no cache" if path.suffix == ".pyc" and not entry.digest else "missing"), 0
    except OSError:
        return "unreadable", 0


def _hashed(entry: record.Entry, path: Path, size: int) -> str:
    if entry.digest is None or entry.algorithm not in record.STRONG:
        return "unhashed"
    if entry.size is not None and entry.size != size:
        return "changed"
    with path.open("rb") as file:
        found = hashlib.file_digest(file, entry.algorithm).digest()
    return "verified" if found == entry.digest else "changed"
