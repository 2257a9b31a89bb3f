"""Packing a folder, reading it back, clearing old packs: for the template `nightly-backup`."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

import celesta
from celesta_worker.context import NodeContext


@celesta.node("examples.backup.pack")
def pack(context: NodeContext, folder: str, into: str) -> dict[str, object]:
    """Pack a folder into `<into>/<run>.tar.gz`; a second attempt writes the same file again."""
    source, target = Path(folder).resolve(), Path(into)
    if not source.is_dir():
        raise FileNotFoundError(f"{folder!r} is not a folder on this worker")
    target.mkdir(parents=True, exist_ok=True)
    archive = target / f"{context.run_id}.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(source, arcname=source.name)
    return {"archive": str(archive), "bytes": archive.stat().st_size, "sha256": _digest(archive)}


@celesta.node("examples.backup.verify")
def verify(archive: str, sha256: str) -> dict[str, object]:
    """Read every byte of every file back; raises when the pack is not what was written."""
    if _digest(Path(archive)) != sha256:
        raise ValueError(f"{archive} has changed since it was written")
    files = 0
    with tarfile.open(archive) as packed:
        for member in packed:
            content = packed.extractfile(member)
            while content and content.read(1024 * 1024):
                pass
            files += member.isfile()
    return {"files": files}


@celesta.node("examples.backup.remove")
def remove(archive: str) -> str:
    """Delete a pack that cannot be trusted."""
    Path(archive).unlink(missing_ok=True)
    return archive


@celesta.node("examples.backup.prune")
def prune(into: str, keep: int) -> list[str]:
    """Delete the oldest packs beyond `keep`; their names."""
    packs = sorted(Path(into).glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    old = packs[: max(len(packs) - keep, 0)]
    for path in old:
        path.unlink()
    return [path.name for path in old]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
