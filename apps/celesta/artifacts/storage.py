"""Where the bytes of artifacts are: a folder on disk, or any Django storage of the project's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages

from celesta import conf

#: A project that has this alias in ``STORAGES`` keeps artifacts there (S3, say).
ALIAS = "celesta"
#: Files being written, inside the artifact root: leftovers of a crash here belong to nobody.
INCOMING = ".incoming"
CHUNK = 1024 * 1024


def root() -> Path:
    """The folder of artifacts on disk, from ``ARTIFACT_ROOT``, ``MEDIA_ROOT`` or ``BASE_DIR``."""
    given = conf.get("ARTIFACT_ROOT")
    if given:
        return Path(given).absolute()
    if settings.MEDIA_ROOT:
        return Path(settings.MEDIA_ROOT).absolute() / "celesta"
    base = getattr(settings, "BASE_DIR", None)
    if base:
        return Path(base).absolute() / ".celesta" / "artifacts"
    raise ImproperlyConfigured(
        "Celesta has no place for artifacts: in the settings, write "
        f"CELESTA = {{'ARTIFACT_ROOT': '/a/private/folder'}} or give STORAGES the alias {ALIAS!r}."
    )


def storage() -> Storage:
    """The storage in use: ``STORAGES["celesta"]`` when there is one, else the folder on disk."""
    if ALIAS in settings.STORAGES:
        return storages[ALIAS]
    return FileSystemStorage(location=root())


@dataclass(frozen=True, slots=True)
class Measured:
    """A whole file on the local disk, with what was measured while it was written."""

    path: Path
    size: int
    sha256: str


class _Movable(File):  # type: ignore[type-arg]  # not subscriptable at run time
    """A finished file that Django's disk storage may take over by renaming it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


@contextmanager
def spooled(source: IO[bytes], target: Storage) -> Iterator[Measured]:
    """Copy a stream to a private file next to its destination, measuring it; removed at the end.

    A crash while copying leaves a file that nothing refers to: what is in place is always whole.
    """
    with NamedTemporaryFile(dir=_incoming(target), delete=False) as copy:
        path = Path(copy.name)
        try:
            digest = _copy(source, copy)
            yield Measured(path, copy.tell(), digest)
        finally:
            path.unlink(missing_ok=True)


def _copy(source: IO[bytes], copy: Any) -> str:
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        copy.write(chunk)
    copy.flush()
    os.fsync(copy.fileno())
    return digest.hexdigest()


def _incoming(target: Storage) -> str | None:
    if not isinstance(target, FileSystemStorage):
        return None  # a remote storage: the system's folder for temporary files
    folder = Path(target.path(INCOMING))
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def put(measured: Measured, name: str, target: Storage) -> str:
    """Move a whole file into the storage; return the name it got there."""
    with measured.path.open("rb") as file:
        stored = target.save(name, _Movable(file, str(measured.path)))
    if isinstance(target, FileSystemStorage):
        _settle(Path(target.path(stored)).parent)
    return stored


def _settle(folder: Path) -> None:
    # The row that refers to the file is durable: the rename must be so too, and before it.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_tree(name: str, target: Storage) -> None:
    """Delete everything below a folder of the storage; nothing happens if there is none."""
    try:
        folders, files = target.listdir(name)
    except FileNotFoundError:
        return
    for file in files:
        target.delete(f"{name}/{file}")
    for folder in folders:
        remove_tree(f"{name}/{folder}", target)
    target.delete(name)
