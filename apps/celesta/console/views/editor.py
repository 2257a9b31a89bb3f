"""Author a workflow: write its document, see what is wrong line by line, keep it, publish it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from celesta.access import workspaces
from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal
from celesta.console.forms.document import DocumentForm, at_lines
from celesta.console.forms.starter import STARTER
from celesta.console.gate import page, require, user_of
from celesta.console.pages import show
from celesta.console.views.runs import workspaces_of
from celesta.console.views.workflows import visible_workflow
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.workflows import drafts, publishing
from celesta.workflows.drafts import DraftChanged, Opened
from celesta.workflows.errors import WorkflowError
from celesta.workflows.models import Workflow


@dataclass
class Editing:
    """One visit of the editor: the text at hand, what is known about it, and where it belongs."""

    workspace: Workspace
    text: str
    base: int
    workflow: Workflow | None = None
    problems: list[Problem] | None = None
    note: str = ""
    conflict: Opened | None = None
    form: DocumentForm | None = None
    errors: list[str] = field(default_factory=list)


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Begin a workflow; the first save makes it."""
    slug = request.POST.get("workspace") or request.GET.get("workspace") or None
    workspace = writable_workspace(principal, slug)
    require(principal, Role.AUTHOR, workspace)
    if request.method == "GET":
        editing = Editing(workspace, STARTER, 0)
        return _shown(request, principal, editing)
    form = DocumentForm(request.POST)
    editing = Editing(workspace, form.text, 0, form=form)
    if not _fit_to_keep(editing):
        return _shown(request, principal, editing, status=400)
    if request.POST.get("action") == "validate":
        editing.problems = _validated(editing)
        return _shown(request, principal, editing)
    editing.workflow = drafts.create(workspace, editing.text, by=user_of(request))
    editing.base = editing.workflow.draft_revision
    return _act(request, principal, editing)


def writable_workspace(principal: Principal, slug: str | None) -> Workspace:
    """The named workspace, or the one that needs no naming, or the first that may be written to."""
    if slug or principal.everywhere:
        return workspaces.choose(principal, slug)
    writable = [w for w in workspaces_of(principal) if principal.may(Role.AUTHOR, w.pk)]
    return writable[0] if writable else workspaces.choose(principal)


@require_http_methods(["GET", "POST"])
@page
def edit(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """Edit the draft; buttons: save, validate, publish, discard."""
    workflow = visible_workflow(principal, workflow_id)
    require(principal, Role.AUTHOR, workflow.workspace)
    if request.method == "GET":
        draft = drafts.opened(workflow, STARTER)
        editing = Editing(workflow.workspace, draft.text, draft.revision, workflow)
        if workflow.draft:
            editing.problems = _validated(editing)
        return _shown(request, principal, editing)
    form = DocumentForm(request.POST)
    editing = Editing(workflow.workspace, form.text, 0, workflow, form=form)
    if request.POST.get("action") == "discard":
        return _discard(request, editing, workflow)
    if not _fit_to_keep(editing):
        return _shown(request, principal, editing, status=400)
    try:
        editing.base = drafts.save(workflow, editing.text, editing.base, by=user_of(request))
    except DraftChanged as error:
        return _conflict(request, principal, editing, error)
    return _act(request, principal, editing)


def _conflict(
    request: HttpRequest, principal: Principal, editing: Editing, error: DraftChanged
) -> HttpResponse:
    editing.conflict, editing.base = error.theirs, error.theirs.revision
    editing.problems = _validated(editing)
    return _shown(request, principal, editing, status=409)


def _fit_to_keep(editing: Editing) -> bool:
    """False for what no database takes (NUL) and for a note that is too long; the text stays.

    A form without its base was not made here: it meets whatever is kept now.
    """
    assert editing.form is not None  # noqa: S101 - only asked of submitted forms
    fits = editing.form.is_valid()
    editing.base = editing.form.cleaned_data.get("base") or 0
    if fits:
        editing.note = editing.form.cleaned_data["note"]
        return True
    editing.note = str(editing.form.data.get("note", ""))
    editing.errors = [str(text) for texts in editing.form.errors.values() for text in texts]
    return False


def _act(request: HttpRequest, principal: Principal, editing: Editing) -> HttpResponse:
    """The draft is kept; now what the button says."""
    workflow = editing.workflow
    assert workflow is not None  # noqa: S101 - callers saved it
    if request.POST.get("action") == "publish":
        return _publish(request, principal, editing, workflow)
    editing.problems = _validated(editing)
    if request.POST.get("action") == "save":
        messages.success(request, "The draft is saved. Nothing runs it until it is published.")
        return redirect("celesta_console:edit", workflow.pk)
    return _shown(request, principal, editing)


def _publish(
    request: HttpRequest, principal: Principal, editing: Editing, workflow: Workflow
) -> HttpResponse:
    try:
        publication = drafts.publish(
            workflow, by=user_of(request), note=editing.note, revision=editing.base
        )
    except DocumentInvalid as error:
        editing.problems = at_lines(error.problems, editing.text)
    except DraftChanged as error:
        return _conflict(request, principal, editing, error)
    except WorkflowError as error:
        mismatch = Problem(error.code, "workflow", error.detail, "Rename it, or make a new one.")
        editing.problems = [mismatch.at(_line_of_name(editing.text), 1)]
    else:
        number = publication.version.number
        said = f"Published as version {number}." if publication.created else _same(number)
        messages.success(request, said)
        return redirect("celesta_console:workflow", workflow.pk)
    return _shown(request, principal, editing, status=400)


def _same(number: int) -> str:
    return f"Nothing to publish: the document equals version {number}."


def _line_of_name(text: str) -> int:
    lines = enumerate(text.split("\n"), 1)
    return next((n for n, line in lines if line.lstrip("\"'").startswith("workflow")), 1)


def _discard(request: HttpRequest, editing: Editing, workflow: Workflow) -> HttpResponse:
    _fit_to_keep(editing)  # for its base: there is no text to keep
    try:
        all_gone = drafts.discard(workflow, editing.base)
    except DraftChanged:
        told = "Somebody saved this draft meanwhile, so it was not discarded. This is it now."
        messages.warning(request, told)
        return redirect("celesta_console:edit", workflow.pk)
    if all_gone:
        messages.success(request, "The draft is gone, and with it the workflow it was for.")
        return redirect("celesta_console:workflows")
    messages.success(request, "The draft is gone; this is the published document.")
    return redirect("celesta_console:edit", workflow.pk)


def _validated(editing: Editing) -> list[Problem]:
    compiled = publishing.validate(editing.text, workspace=editing.workspace)
    problems = list(compiled.problems)
    published = editing.workflow is not None and editing.workflow.current_id is not None
    if compiled.plan and published and compiled.plan.workflow != editing.workflow.name:  # type: ignore[union-attr]
        name = editing.workflow.name  # type: ignore[union-attr]
        problems.append(
            Problem(
                "workflow_name_mismatch",
                "workflow",
                f"this workflow is published as {name!r}; its name cannot change",
                f"Write {name!r}, or make a new workflow.",
            ).at(_line_of_name(editing.text), 1)
        )
    return at_lines(problems, editing.text)


@require_POST
@page
def validate(request: HttpRequest, principal: Principal) -> JsonResponse:
    """For the editor's script: the problems of a text, while it is being written."""
    workspace = writable_workspace(principal, request.POST.get("workspace") or None)
    text = DocumentForm(request.POST).text
    compiled = publishing.validate(text, workspace=workspace)
    problems = at_lines(list(compiled.problems), text)
    return JsonResponse({"problems": [p.as_dict() for p in problems], "valid": bool(compiled.plan)})


def _shown(
    request: HttpRequest, principal: Principal, editing: Editing, status: int = 200
) -> HttpResponse:
    problems = editing.problems
    context: dict[str, Any] = {
        "editing": editing,
        "workflow": editing.workflow,
        "workspaces": [w for w in workspaces_of(principal) if principal.may(Role.AUTHOR, w.pk)],
        "problems": problems or [],
        "checked": problems is not None,
        "errors": sum(p.severity == "error" for p in problems or ()),
        "marks": [p.as_dict() for p in problems or ()],
    }
    title = f"Edit {editing.workflow}" if editing.workflow else "New workflow"
    return show(request, "editor.html", context, title=title, section="workflows", status=status)
