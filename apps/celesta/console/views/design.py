"""The visual editor: its page, and the calls with which its script keeps and publishes a draft.

The page is the same document as the text editor's; without scripts the text editor does all of it.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal
from celesta.console.forms.document import DocumentForm, at_lines
from celesta.console.forms.starter import STARTER
from celesta.console.gate import page, require, user_of
from celesta.console.pages import pages_built, show
from celesta.console.views.editor import writable_workspace
from celesta.console.views.workflows import visible_workflow
from celesta.graph.problems import DocumentInvalid
from celesta.workflows import drafts
from celesta.workflows.drafts import DraftChanged, Opened
from celesta.workflows.errors import WorkflowError
from celesta.workflows.models import Workflow


@require_GET
@page
def new(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Begin a workflow on an empty canvas; the first save makes it."""
    workspace = writable_workspace(principal, request.GET.get("workspace") or None)
    require(principal, Role.AUTHOR, workspace)
    return _shown(request, workspace, Opened(STARTER, 0), None)


@require_GET
@page
def edit(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """Edit the draft on a canvas."""
    workflow = visible_workflow(principal, workflow_id)
    require(principal, Role.AUTHOR, workflow.workspace)
    return _shown(request, workflow.workspace, drafts.opened(workflow, STARTER), workflow)


def _shown(
    request: HttpRequest, workspace: Workspace, draft: Opened, workflow: Workflow | None
) -> HttpResponse:
    if not pages_built():  # the pages could not be built here: the text editor does it all
        name = "edit" if workflow else "workflow-new"
        return redirect(f"celesta_console:{name}", *([workflow.pk] if workflow else []))
    data = {
        "source": draft.text,
        "workspace": workspace.slug,
        "published": workflow.current.number if workflow and workflow.current else None,
        "name": workflow.name if workflow else None,
        "api": reverse("celesta_api:node-types").removesuffix("node-types/"),
        "create": reverse("celesta_console:draft-new"),
        **_state(workflow, draft),
    }
    context = {"workflow": workflow, "data": data, "may_author": True, "may_operate": True}
    title = f"Edit {workflow}" if workflow else "New workflow"
    return show(request, "design.html", context, title=title, section="workflows")


def _state(workflow: Workflow | None, draft: Opened) -> dict[str, Any]:
    """What the script has to know of a draft to save it again."""
    if workflow is None:
        return {"id": None, "revision": 0, "urls": {}}
    pages = {"page": "design", "save": "draft", "publish": "draft-publish", "start": "start"}
    urls = {key: reverse(f"celesta_console:{v}", args=[workflow.pk]) for key, v in pages.items()}
    return {
        "id": workflow.pk,
        "revision": draft.revision,
        "by": draft.by,
        "at": draft.at and draft.at.isoformat(),
        "urls": urls,
    }


@require_POST
@page
def create(request: HttpRequest, principal: Principal) -> HttpResponse:
    """The first save: 201 with the addresses of the workflow that it made."""
    workspace = writable_workspace(principal, request.POST.get("workspace") or None)
    require(principal, Role.AUTHOR, workspace)
    form = DocumentForm(request.POST)
    if not form.is_valid():
        return _unfit(form)
    workflow = drafts.create(workspace, form.text, by=user_of(request))
    return JsonResponse(_state(workflow, drafts.opened(workflow)), status=201)


@require_POST
@page
def save(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """Keep the draft; 409 with theirs when somebody else saved meanwhile."""
    workflow = visible_workflow(principal, workflow_id)
    require(principal, Role.AUTHOR, workflow.workspace)
    form = DocumentForm(request.POST)
    if not form.is_valid():
        return _unfit(form)
    base = form.cleaned_data["base"] or 0
    try:
        revision = drafts.save(workflow, form.text, base, by=user_of(request))
    except DraftChanged as error:
        return _conflict(error)
    except WorkflowError as error:
        return _refused(error.detail, error.status, code=error.code)
    return JsonResponse({"revision": revision})


@require_POST
@page
def publish(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """Keep the draft and publish it with a note; 422 with every problem when it has errors."""
    workflow = visible_workflow(principal, workflow_id)
    require(principal, Role.AUTHOR, workflow.workspace)
    form = DocumentForm(request.POST)
    if not form.is_valid():
        return _unfit(form)
    by = user_of(request)
    try:
        kept = drafts.save(workflow, form.text, form.cleaned_data["base"] or 0, by=by)
        note = form.cleaned_data["note"]
        publication = drafts.publish(workflow, by=by, note=note, revision=kept)
    except DraftChanged as error:
        return _conflict(error)
    except DocumentInvalid as error:
        problems = [problem.as_dict() for problem in at_lines(error.problems, form.text)]
        return _refused("The document has errors.", 422, problems=problems)
    except WorkflowError as error:
        return _refused(error.detail, 422, code=error.code)
    draft = drafts.opened(publication.version.workflow)
    version = {"version": publication.version.number, "created": publication.created}
    return JsonResponse({**version, "revision": draft.revision})


def _unfit(form: DocumentForm) -> JsonResponse:
    return _refused(" ".join(str(text) for texts in form.errors.values() for text in texts), 400)


def _conflict(error: DraftChanged) -> JsonResponse:
    theirs = error.theirs
    at = theirs.at.isoformat() if theirs.at else None
    kept = {"source": theirs.text, "revision": theirs.revision, "by": theirs.by, "at": at}
    return _refused(error.detail, error.status, code=error.code, theirs=kept)


def _refused(detail: str, status: int, **more: Any) -> JsonResponse:
    return JsonResponse({"detail": detail, **more}, status=status)
