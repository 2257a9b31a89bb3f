"""Workflows of an archive into a workspace: looked at first, then taken over one by one.

Each workflow is taken over in a transaction of its own: one that is refused keeps no other out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from django.db import transaction

from celesta import conf
from celesta.access.models import Workspace
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.workflows import drafts, publishing
from celesta.workflows.archive import VersionEntry, WorkflowEntry
from celesta.workflows.models import Workflow
from celesta.workflows.unpacking import Archive

#: What an archive's workflow is to the workspace.
Status = Literal["new", "identical", "changed", "invalid"]
#: What may be done with it.
Choice = Literal["publish", "draft", "skip"]
#: What was done with it.
Outcome = Literal["published", "drafted", "unchanged", "skipped", "refused"]

CHOICES: Final[tuple[Choice, ...]] = ("publish", "draft", "skip")


@dataclass(frozen=True, slots=True)
class Look:
    """One workflow of the archive, before anything is done."""

    entry: WorkflowEntry
    status: Status
    #: The versions that would be published, the oldest first.
    ahead: tuple[VersionEntry, ...] = ()
    #: Number of the workspace's current version.
    current: int | None = None
    has_draft: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """The workflow's name."""
        return self.entry.name

    @property
    def usual(self) -> Choice:
        """What is done with it when nobody says otherwise: what runs keeps its version."""
        return "draft" if self.status == "changed" else "publish"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one workflow. ``version`` is the current one after it."""

    look: Look
    outcome: Outcome
    version: int | None = None
    problems: tuple[Problem, ...] = field(default=())


def preview(
    workspace: Workspace,
    archive: Archive,
    *,
    history: bool = True,
    only: Collection[str] | None = None,
) -> list[Look]:
    """What each workflow of the archive is to the workspace; changes nothing.

    Without ``history`` only the last version of each counts.
    """
    return [
        _look(workspace, archive, entry, history)
        for entry in archive.workflows
        if only is None or entry.name in only
    ]


def take(
    workspace: Workspace,
    archive: Archive,
    *,
    by: Any,
    changed: Choice = "draft",
    choices: Mapping[str, Choice] | None = None,
    history: bool = True,
    only: Collection[str] | None = None,
) -> list[Taken]:
    """Take the workflows over: new ones are published, changed ones as ``changed`` says.

    ``choices`` says it by name, for new ones too. Whoever is published becomes a version of ``by``.
    """
    asked = dict(choices or {})
    taken = []
    for entry in archive.workflows:
        if only is not None and entry.name not in only:
            continue
        with transaction.atomic():
            # A lock on what is there: nobody publishes between the look and the deed.
            list(_rows(workspace, entry.name).select_for_update(no_key=True, of=("self",)))
            look = _look(workspace, archive, entry, history)
            choice = asked.get(entry.name) or (changed if look.status == "changed" else "publish")
            taken.append(_one(workspace, archive, look, choice, by))
    return taken


def _rows(workspace: Workspace, name: str) -> Any:
    return Workflow.objects.filter(workspace=workspace, name=name)


def _look(workspace: Workspace, archive: Archive, entry: WorkflowEntry, history: bool) -> Look:
    there: Workflow | None = _rows(workspace, entry.name).select_related("current").first()
    current = there.current if there else None
    versions = entry.versions if history else entry.versions[-1:]
    ahead = _ahead(versions, current.checksum if current else None)
    problems = [
        found for version in ahead for found in _problems(workspace, archive, entry, version)
    ]
    problems += _problems_of_draft(archive, entry)
    status: Status = "changed" if there else "new"
    if any(found.severity == "error" for found in problems):
        status = "invalid"
    elif there and _same(archive, entry, there):
        status = "identical"
    return Look(
        entry=entry,
        status=status,
        ahead=tuple(ahead),
        current=current.number if current else None,
        has_draft=bool(there and there.draft),
        problems=tuple(problems),
    )


def _ahead(versions: list[VersionEntry], current: str | None) -> list[VersionEntry]:
    """The versions that the workspace lacks: those after its current one, if the archive has that.

    Where the two histories have parted, only the archive's last version is of use.
    """
    if current is None:
        return versions
    known = [place for place, version in enumerate(versions) if version.checksum == current]
    return versions[known[-1] + 1 :] if known else versions[-1:]


def _same(archive: Archive, entry: WorkflowEntry, there: Workflow) -> bool:
    if entry.versions:
        return there.current is not None and there.current.checksum == entry.versions[-1].checksum
    return entry.draft is not None and there.draft == archive.text(entry.draft)


def _problems(
    workspace: Workspace, archive: Archive, entry: WorkflowEntry, version: VersionEntry
) -> list[Problem]:
    """What keeps a version from being published here, and what a reader should know."""
    compiled = publishing.validate(archive.text(version), workspace=workspace)
    problems = list(compiled.problems)
    if compiled.plan is None:
        return problems
    if compiled.plan.workflow != entry.name:
        message = (
            f"The document names workflow {compiled.plan.workflow!r}, the manifest {entry.name!r}."
        )
        problems.append(Problem("workflow_name_mismatch", version.file, message))
    if compiled.checksum != version.checksum:
        message = "Its checksum is not the one in the manifest."
        hint = "It was exported by a Celesta that normalised documents in another way."
        problems.append(Problem("checksum_differs", version.file, message, hint, "warning"))
    return problems


def _problems_of_draft(archive: Archive, entry: WorkflowEntry) -> list[Problem]:
    """Whatever is wrong with a draft, it is kept, as long as an editor could save it again."""
    limit = conf.get("DEFINITION_MAX_BYTES")
    size = len(archive.text(entry.draft).encode()) if entry.draft else 0
    if entry.draft is None or size <= limit:
        return []
    message = f"The draft has {size:,} bytes; the limit is {limit:,}."
    return [Problem("document_too_large", entry.draft.file, message)]


def _one(workspace: Workspace, archive: Archive, look: Look, choice: Choice, by: Any) -> Taken:
    if look.status == "invalid":
        return Taken(look, "refused", look.current, look.problems)
    if look.status == "identical":
        return Taken(look, "unchanged", look.current)
    if choice == "skip":
        return Taken(look, "skipped", look.current)
    if choice == "draft" or not look.entry.versions:
        return _as_draft(workspace, archive, look, by)
    return _published(workspace, archive, look, by)


def _as_draft(workspace: Workspace, archive: Archive, look: Look, by: Any) -> Taken:
    entry = look.entry
    text = archive.text(entry.versions[-1] if entry.versions else _draft_of(entry))
    workflow, is_new = drafts.begin(workspace, entry.name, text, by=by)
    if is_new:
        _switch(workflow, entry)
    elif workflow.draft and workflow.draft != text:
        message = f"The workflow {entry.name!r} has a draft that somebody is working on."
        hint = "Publish or discard it first, or publish the archive's version."
        problem = Problem("draft_exists", entry.name, message, hint)
        return Taken(look, "refused", look.current, (problem,))
    else:
        drafts.save(workflow, text, workflow.draft_revision, by=by)
    return Taken(look, "drafted", look.current)


def _draft_of(entry: WorkflowEntry) -> Any:
    assert entry.draft is not None  # noqa: S101 - an archive without it is refused when it is read
    return entry.draft


def _published(workspace: Workspace, archive: Archive, look: Look, by: Any) -> Taken:
    entry = look.entry
    try:
        for version in look.ahead:
            made = publishing.publish_document(
                workspace, archive.text(version), by=by, note=version.note, name=entry.name
            )
    except DocumentInvalid as error:  # a variable that was deleted meanwhile, say
        transaction.set_rollback(True)
        return Taken(look, "refused", look.current, tuple(error.problems))
    workflow = made.version.workflow
    if look.status == "new":
        if entry.draft:
            workflow.refresh_from_db()
            drafts.save(workflow, archive.text(entry.draft), workflow.draft_revision, by=by)
        _switch(workflow, entry)
    return Taken(look, "published", made.version.number)


def _switch(workflow: Workflow, entry: WorkflowEntry) -> None:
    """A new workflow takes over the switches too; one that was there keeps its own."""
    workflow.active, workflow.paused = entry.active, entry.paused
    workflow.save(update_fields=["active", "paused", "updated_at"])
