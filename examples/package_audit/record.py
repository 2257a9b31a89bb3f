"""RECORD, the list of installed files with their hashes (PyPA's "Recording installed projects")."""

from __future__ import annotations

import binascii
import csv
import os
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

#: Algorithms a RECORD may use; md5 and sha1 are forbidden there and prove nothing.
STRONG = frozenset(
    {"sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b"}
)


class RecordUnreadable(ValueError):
    """The RECORD is there and cannot be read as one."""


@dataclass(frozen=True)
class Entry:
    """One line: a path relative to the place, and the hash and the size, where recorded."""

    path: str
    algorithm: str = ""
    digest: bytes | None = None
    size: int | None = None

    def within(self, place: Path) -> Path:
        """Where the file is. Scripts are recorded as ``../../../bin/name``."""
        return Path(os.path.normpath(place / self.path))


def read(info: Path) -> list[Entry] | None:
    """The entries of a distribution, or None if its installer left no RECORD.

    Raises RecordUnreadable for one that is no CSV of paths.
    """
    try:
        raw = (info / "RECORD").read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RecordUnreadable(error.strerror or "cannot be read") from error
    if b"\0" in raw:
        raise RecordUnreadable("holds NUL bytes: not a text, or UTF-16")
    # Names on disk are bytes: what is no UTF-8 comes back as the same bytes when opened.
    content = os.fsdecode(raw.removeprefix(b"\xef\xbb\xbf"))
    try:
        return list(_entries(StringIO(content, newline="")))
    except csv.Error as error:
        raise RecordUnreadable(str(error)) from error


def _entries(lines: Iterable[str]) -> Iterator[Entry]:
    for row in csv.reader(lines):
        path, spec, size = [*row, "", "", ""][:3]
        if path:
            algorithm, digest = _hash(spec)
            yield Entry(path, algorithm, digest, int(size) if size.isdecimal() else None)


def _hash(spec: str) -> tuple[str, bytes | None]:
    algorithm, _, encoded = spec.partition("=")
    if not encoded:
        return "", None
    try:
        digest = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError):
        digest = b""  # a hash was meant, so nothing can match it
    return algorithm, digest
