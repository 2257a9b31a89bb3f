"""One file with many workflows: a zip of their documents and a manifest that vouches for them.

``manifest.json`` lists the workflows with their switches and versions, and the SHA-256 of each
file; ``workflows/<name>/v<number>.yaml`` is a document as its author wrote it, ``draft.yaml`` what
somebody was working on. The same workflows give the same bytes, whenever they are exported.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable
from io import BytesIO
from typing import Final

from django.db.models import QuerySet
from pydantic import BaseModel, ConfigDict, Field

from celesta.workflows.models import Workflow, WorkflowVersion

FORMAT: Final = "celesta-workflows"
FORMAT_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
#: Every file of a zip has a time; theirs says nothing.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class DraftEntry(_Strict):
    """Where a draft is."""

    file: str
    sha256: str


class VersionEntry(DraftEntry):
    """Where a version's document is; ``checksum`` is that of the normalised document."""

    number: int = Field(ge=1)
    checksum: str
    note: str = Field(default="", max_length=500)


class WorkflowEntry(_Strict):
    """One workflow. Its title and tags are in its document; here they are for people."""

    name: str = Field(min_length=1, max_length=200)
    title: str = ""
    tags: list[str] = []
    active: bool = True
    paused: bool = False
    #: The oldest first; the last one is what runs.
    versions: list[VersionEntry] = []
    draft: DraftEntry | None = None


class Manifest(_Strict):
    """What ``manifest.json`` holds."""

    format: str
    format_version: int
    workflows: list[WorkflowEntry]


def pack(workflows: QuerySet[Workflow], *, history: bool = True) -> bytes:
    """The archive of these workflows, by name; without ``history`` only their current versions."""
    files: dict[str, str] = {}
    entries = [
        _entry(workflow, history, files)
        for workflow in workflows.select_related(None).defer(None).order_by("name", "pk")
    ]
    manifest = Manifest(format=FORMAT, format_version=FORMAT_VERSION, workflows=entries)
    text = json.dumps(manifest.model_dump(), indent=2, ensure_ascii=False) + "\n"
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {MANIFEST: text, **files}.items():
            info = zipfile.ZipInfo(name, _NO_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content.encode())
    return packed.getvalue()


def _entry(workflow: Workflow, history: bool, files: dict[str, str]) -> WorkflowEntry:
    versions = workflow.versions.defer("document", "plan_json").order_by("number")
    if not history:
        versions = versions.filter(pk=workflow.current_id)
    return WorkflowEntry(
        name=workflow.name,
        title=workflow.title,
        tags=workflow.tags,
        active=workflow.active,
        paused=workflow.paused,
        versions=list(_versions(workflow.name, versions, files)),
        draft=_draft(workflow, files),
    )


def _versions(
    name: str, versions: Iterable[WorkflowVersion], files: dict[str, str]
) -> Iterable[VersionEntry]:
    for version in versions:
        file = f"workflows/{name}/v{version.number}{_ending(version.source)}"
        files[file] = version.source
        yield VersionEntry(
            number=version.number,
            checksum=version.checksum,
            note=version.note,
            file=file,
            sha256=digest(version.source),
        )


def _draft(workflow: Workflow, files: dict[str, str]) -> DraftEntry | None:
    if not workflow.draft:
        return None
    file = f"workflows/{workflow.name}/draft{_ending(workflow.draft)}"
    files[file] = workflow.draft
    return DraftEntry(file=file, sha256=digest(workflow.draft))


def _ending(text: str) -> str:
    return ".json" if text.lstrip()[:1] == "{" else ".yaml"


def digest(text: str) -> str:
    """SHA-256 (hex) of a text."""
    return hashlib.sha256(text.encode()).hexdigest()
