"""Saving, opening and deleting the files that runs produce.

The bytes are whole in the storage before the row that refers to them is written, under a name that
nobody else has: a crash can leave an unreferenced file (deleted with its run), never half a file
that is referenced. Within one attempt a name saved again replaces the first; between attempts each
keeps its own, and listings show the newest (:func:`newest`).
"""

from __future__ import annotations

import io
import secrets
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.core.files import File
from django.db import router, transaction

from celesta.access.scoping import WorkspaceScoped
from celesta.artifacts.models import Artifact
from celesta.artifacts.names import media_type, safe_name
from celesta.artifacts.storage import Measured, put, remove_tree, spooled, storage
from celesta.runs import transitions

Content = bytes | str | Path | IO[bytes]
#: The JSON that stands for a file in a node's output.
Ref = dict[str, Any]


class ArtifactNotSaved(OSError):
    """The file could not be kept."""

    code = "artifact_not_saved"


class ArtifactMissing(FileNotFoundError):
    """The record of the artifact is there, but its bytes are not in the storage."""

    code = "artifact_missing"


def save(
    run_id: UUID | str,
    scope: int,
    node: int,
    node_name: str,
    attempt: int,
    workspace_id: int,
    name: str,
    content: Content,
    content_type: str | None = None,
) -> Ref:
    """Keep a file of one attempt and return its reference.

    ``content`` is bytes, a text (kept as UTF-8), the path of a file, or an open binary file; it is
    streamed. The reference is ``{"artifact": id, "name", "size", "sha256", "content_type"}``,
    size in bytes. Raises ``ArtifactNameInvalid``, ``ContentTypeInvalid`` or
    :class:`ArtifactNotSaved`.
    """
    name = safe_name(name)
    kind = media_type(name, content_type)
    folder = f"{UUID(str(run_id))}/{scope:d}.{node:d}.{attempt:d}"
    measured, path = _keep(name, content, f"{folder}/{secrets.token_hex(16)}-{name}")
    owner = {"run_id": run_id, "scope": scope, "node": node, "attempt": attempt, "name": name}
    facts = {
        "workspace_id": workspace_id,
        "node_name": node_name,
        "content_type": kind,
        "size": measured.size,
        "sha256": measured.sha256,
        "path": path,
    }
    return reference(_record(owner, facts))


def reference(artifact: Artifact) -> Ref:
    """The JSON that stands for the file in outputs, events and answers."""
    return {
        "artifact": artifact.pk,
        "name": artifact.name,
        "size": artifact.size,
        "sha256": artifact.sha256,
        "content_type": artifact.content_type,
    }


def _keep(name: str, content: Content, path: str) -> tuple[Measured, str]:
    target = storage()
    try:
        with _opened(content) as source, spooled(source, target) as measured:
            return measured, put(measured, path, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ArtifactNotSaved(
            error.errno,
            f"cannot keep the artifact {name!r}: {reason}; "
            "check the source file, and the space and rights of the artifact storage",
        ) from error


def _opened(content: Content) -> AbstractContextManager[IO[bytes]]:
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, bytes):
        return io.BytesIO(content)
    if isinstance(content, Path):
        return content.open("rb")
    return nullcontext(content)  # the caller opened it, the caller closes it


def _record(owner: dict[str, Any], facts: dict[str, Any]) -> Artifact:
    with transaction.atomic(using=router.db_for_write(Artifact)):
        artifact: Artifact
        rows = Artifact.objects.select_for_update()
        artifact, created = rows.get_or_create(**owner, defaults=facts)
        if not created:
            _remove_later(artifact.path)
            for field, value in facts.items():
                setattr(artifact, field, value)
            artifact.save(update_fields=[*facts])
    return artifact


def open_artifact(artifact: Artifact) -> File[bytes]:
    """The file, open for reading bytes; raises :class:`ArtifactMissing` when it is gone."""
    try:
        return storage().open(artifact.path, "rb")
    except FileNotFoundError as error:
        raise ArtifactMissing(
            f"the bytes of artifact {artifact.pk} ({artifact.name}) are not in the storage: "
            "they were removed by hand, or this process uses another ARTIFACT_ROOT"
        ) from error


def newest(artifacts: WorkspaceScoped) -> WorkspaceScoped:
    """Of each file of each node run only the one of its newest attempt, in order of saving."""
    key = ("run_id", "scope", "node", "name")
    chosen = artifacts.order_by(*key, "-attempt", "-id").distinct(*key).values("id")
    return artifacts.filter(id__in=chosen).order_by("created_at", "id")


def delete(artifact: Artifact, *, by: str) -> None:
    """Delete one file of a node run; the run's history says who did.

    What earlier attempts saved under the name goes as well: listings would show it else. The bytes
    go when the transaction has committed. Deleting what is gone already changes nothing.
    """
    key = {name: getattr(artifact, name) for name in ("run_id", "scope", "node", "name")}
    with transaction.atomic(using=router.db_for_write(Artifact)):
        rows = Artifact.objects.select_for_update().filter(**key, attempt__lte=artifact.attempt)
        for row in rows.order_by("id"):
            _remove_later(row.path)
            transitions.note_artifact_deleted(
                row.run_id, row.scope, row.node, row.attempt, {**reference(row), "by": by}
            )
            row.delete()


def delete_for_run(run_id: UUID | str) -> int:
    """Delete all artifacts of a run, strays of crashed attempts too; return how many there were."""
    with transaction.atomic(using=router.db_for_write(Artifact)):
        count, _ = Artifact.objects.filter(run_id=run_id).delete()
        remove = partial(remove_tree, str(UUID(str(run_id))), storage())
        _after_commit(remove)
    return count


def _remove_later(path: str) -> None:
    # Only after the commit: a rolled-back deletion must not have lost the bytes.
    _after_commit(partial(storage().delete, path))


def _after_commit(action: partial[None]) -> None:
    # Robust: the rows are gone for good then, and a full or absent disk is no reason to fail.
    transaction.on_commit(action, using=router.db_for_write(Artifact), robust=True)


@dataclass(frozen=True, slots=True)
class NodeArtifacts:
    """The store as one attempt of one node sees it: ``context.artifacts``."""

    run_id: UUID | str
    scope: int
    node: int
    node_name: str
    attempt: int
    workspace_id: int

    def save(self, name: str, content: Content, content_type: str | None = None) -> Ref:
        """Keep a file of this attempt; see :func:`save`."""
        return save(
            self.run_id,
            self.scope,
            self.node,
            self.node_name,
            self.attempt,
            self.workspace_id,
            name,
            content,
            content_type,
        )
