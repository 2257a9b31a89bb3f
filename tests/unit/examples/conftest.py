"""Distributions planted in a folder, as an installer would leave them."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

import pytest

from examples.package_audit.places import Distribution, distributions


def hashed(content: bytes, algorithm: str = "sha256") -> str:
    """A hash as RECORD spells it."""
    digest = hashlib.new(algorithm, content).digest()
    return f"{algorithm}={urlsafe_b64encode(digest).decode().rstrip('=')}"


class Site:
    """A folder of installed distributions."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def install(
        self,
        name: str,
        files: Mapping[str, bytes] | None = None,
        *,
        version: str = "1.0",
        metadata: bytes = b"",
        record: str | bytes | None = "",
    ) -> Path:
        """Write files and metadata; return the metadata folder.

        ``record`` adds lines to the RECORD, replaces it when it is bytes, or leaves it out (None).
        """
        info = self.place / f"{name}-{version}.dist-info"
        info.mkdir()
        given = {f"{info.name}/METADATA": metadata or _metadata(name, version), **(files or {})}
        for path, content in given.items():
            self.write(path, content)
        if record is None:
            return info
        lines = [f"{path},{hashed(body)},{len(body)}" for path, body in given.items()]
        own = "\n".join([*lines, f"{info.name}/RECORD,,"]) + "\n"
        content = record if isinstance(record, bytes) else (own + record).encode()
        (info / "RECORD").write_bytes(content)
        return info

    def write(self, path: str, content: bytes = b"") -> Path:
        """Write a file below the folder."""
        target = self.place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def only(self) -> Distribution:
        """The one distribution that is there."""
        (found,) = distributions(self.place)
        return found


def _metadata(name: str, version: str) -> bytes:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n".encode()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)
