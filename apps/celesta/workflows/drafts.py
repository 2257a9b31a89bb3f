"""Drafts: the text an author works on, kept whatever is wrong with it, never overwritten unseen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from celesta.access.models import Workspace
from celesta.graph.problems import DocumentInvalid
from celesta.workflows import publishing
from celesta.workflows.errors import WorkflowError, WorkflowScheduled
from celesta.workflows.models import Workflow
from celesta.workflows.publishing import Publication

#: Name of a draft that does not name its workflow yet.
UNTITLED: Final = "untitled"
#: What a workflow may be called before it is published; publishing is stricter.
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_NAMED = re.compile(rf"^\"?workflow\"?:[ \t]*[\"']?({NAME.pattern})", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Opened:
    """What an editor opens. ``revision`` is handed back when it is saved."""

    text: str
    revision: int
    by: str = ""
    at: datetime | None = None
    #: Whether a draft is kept; else the text is what is published.
    kept: bool = False


class DraftChanged(WorkflowError):
    """Somebody else saved this draft or published after it was opened; nothing is overwritten."""

    code = "draft_changed"
    status = 409

    def __init__(self, theirs: Opened) -> None:
        self.theirs = theirs
        super().__init__()


class DraftGone(WorkflowError):
    """Somebody discarded this draft, and its workflow was nothing else; save it as a new one."""

    code = "draft_gone"
    status = 404


def opened(workflow: Workflow, beginning: str = "") -> Opened:
    """The draft as it is now, else what is published, else ``beginning``; raises DraftGone."""
    rows = Workflow.objects.select_related("current", "draft_by")
    stored = rows.filter(pk=workflow.pk).first()
    if stored is None:
        raise DraftGone
    published = stored.current.source if stored.current else beginning
    by = str(stored.draft_by) if stored.draft_by else ""
    text, kept = stored.draft or published, bool(stored.draft)
    return Opened(text, stored.draft_revision, by, stored.draft_at, kept)


def create(workspace: Workspace, text: str, *, by: Any) -> Workflow:
    """A workflow that has only a draft; under another name while its own is taken."""
    while True:
        name = _free_name(workspace, name_in(text) or UNTITLED)
        workflow, is_new = begin(workspace, name, text, by=by)
        if is_new:  # else somebody took the name a moment ago
            return workflow


def begin(workspace: Workspace, name: str, text: str, *, by: Any) -> tuple[Workflow, bool]:
    """The workflow of this name; made with this draft, and True, when there was none."""
    draft = {"draft": text, "draft_revision": 1, "draft_by": by, "draft_at": timezone.now()}
    workflow, is_new = Workflow.objects.get_or_create(
        workspace=workspace, name=name, defaults=draft
    )
    return workflow, is_new


def save(workflow: Workflow, text: str, revision: int, *, by: Any, rename: bool = True) -> int:
    """Keep the text and return the new revision.

    Raises DraftChanged when somebody saved or published after ``revision``, and DraftGone; nothing
    is kept then. The same text saved twice is no conflict. With ``rename`` a workflow that was
    never published is called what the text calls it from now on.
    """
    with transaction.atomic():
        saved = Workflow.objects.filter(pk=workflow.pk, draft_revision=revision).update(
            draft=text,
            draft_by=by,
            draft_at=timezone.now(),
            draft_revision=F("draft_revision") + 1,
            updated_at=timezone.now(),
        )
        if not saved:
            theirs = opened(workflow)
            if theirs.text == text:
                return theirs.revision
            raise DraftChanged(theirs)
        if rename:
            _rename(workflow, text)
    return revision + 1


def publish(
    workflow: Workflow, *, by: Any, note: str = "", revision: int | None = None
) -> Publication:
    """Publish the draft that is kept; without one nothing changes.

    Raises DraftChanged when somebody saved or published after ``revision``, if one is given,
    DraftGone, and what ``publishing.publish_document`` raises: the draft is kept then.
    """
    with transaction.atomic():
        draft = _locked(workflow, revision)
        return publishing.publish_document(
            workflow.workspace, draft.text, by=by, note=note, name=workflow.name
        )


def discard(workflow: Workflow, revision: int | None = None) -> bool:
    """Throw the draft away; a workflow that is nothing else goes with it, and True is returned.

    Raises DraftChanged when somebody saved or published after ``revision``, if one is given, and
    WorkflowScheduled; all is kept then.
    """
    with transaction.atomic():
        try:
            _locked(workflow, revision)
        except DraftGone:
            return True  # somebody else was faster
        rows = Workflow.objects.filter(pk=workflow.pk)
        # By name, since schedules live above: they would go with it, and beat would not be told.
        if rows.filter(current=None, schedules__isnull=False).exists():
            raise WorkflowScheduled
        if rows.filter(current=None).delete()[0]:
            return True
        rows.exclude(draft="").update(
            draft="", draft_by=None, draft_at=None, draft_revision=F("draft_revision") + 1
        )
    return False


def _locked(workflow: Workflow, revision: int | None) -> Opened:
    """The draft under a lock: it stays so in this transaction. Raises DraftChanged, DraftGone."""
    Workflow.objects.select_for_update(no_key=True).filter(pk=workflow.pk).first()
    draft = opened(workflow)
    if revision is not None and revision != draft.revision:
        raise DraftChanged(draft)
    return draft


def check_name(name: str) -> None:
    """Raise DocumentInvalid when no document could give a workflow this name."""
    checked = publishing.validate({"workflow": name})
    if faults := [found for found in checked.problems if found.path == "workflow"]:
        raise DocumentInvalid(faults)


def name_in(text: str) -> str:
    """The workflow's name as the text says it, even if the text cannot be read otherwise."""
    found = _NAMED.search(text)
    return found.group(1) if found else ""


def _rename(workflow: Workflow, text: str) -> None:
    """A workflow that was never published is called what its draft calls it."""
    wanted = name_in(text)
    if workflow.current_id is not None or not wanted:
        return
    while wanted != workflow.name:
        name = _free_name(workflow.workspace, wanted, workflow.pk)
        try:
            with transaction.atomic():
                Workflow.objects.filter(pk=workflow.pk).update(name=name)
        except IntegrityError:
            continue  # somebody took the name a moment ago
        workflow.name = name
        return


def _free_name(workspace: Workspace, wanted: str, own: int | None = None) -> str:
    taken = Workflow.objects.filter(workspace=workspace).exclude(pk=own)
    name, number = wanted, 1
    while taken.filter(name=name).exists():
        number += 1
        name = f"{wanted[:190]}-{number}"
    return name
