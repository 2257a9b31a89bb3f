"""Published versions: what they are, how they differ, going back to one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.drawing.pictures import picture
from celesta.console.gate import abilities, page, require, user_of
from celesta.console.pages import pages_built, show
from celesta.console.views.run import number
from celesta.console.views.workflows import visible_workflow
from celesta.graph.problems import DocumentInvalid
from celesta.runs.queries import plan_of
from celesta.workflows import publishing
from celesta.workflows.differences import difference
from celesta.workflows.models import Workflow, WorkflowVersion

ROWS = 100


@require_GET
@page
def versions(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """Every version, newest first."""
    workflow = visible_workflow(principal, workflow_id)
    rows = workflow.versions.select_related("created_by").defer("source", "document", "plan_json")
    before = number(request, "before", 0)
    listed = list((rows.filter(number__lt=before) if before else rows)[: ROWS + 1])
    context = {
        "workflow": workflow,
        "numbers": _numbers(workflow),
        "versions": listed[:ROWS],
        "more": listed[ROWS - 1].number if len(listed) > ROWS else None,
        **abilities(principal, workflow.workspace),
    }
    title = f"Versions of {workflow}"
    return show(request, "versions.html", context, title=title, section="workflows")


@require_GET
@page
def version(
    request: HttpRequest, principal: Principal, workflow_id: int, number: int
) -> HttpResponse:
    """One version: its source and its graph."""
    workflow = visible_workflow(principal, workflow_id)
    found = _version(workflow, number)
    context = {
        "workflow": workflow,
        "version": found,
        "picture": picture(plan_of(found.pk)),
        "lines": found.source.splitlines(),
        **abilities(principal, workflow.workspace),
    }
    title = f"{workflow}: version {number}"
    return show(request, "version.html", context, title=title, section="workflows")


@require_GET
@page
def diff(
    request: HttpRequest, principal: Principal, workflow_id: int, before: int, after: int
) -> HttpResponse:
    """What has to change in one version to get another."""
    workflow = visible_workflow(principal, workflow_id)
    old, new = _version(workflow, before), _version(workflow, after)
    found = difference(old, new)
    lines = [(_kind(line), line) for line in found.text.splitlines()]
    marks = {"added": found.added, "removed": found.removed, "changed": found.changed}
    data = {"before": old.document, "after": new.document, **marks}
    context = {
        "workflow": workflow,
        "difference": found,
        "lines": lines,
        "data": data,
        "numbers": _numbers(workflow, before, after),
        "built": pages_built(),
    }
    title = f"{workflow}: {before} to {after}"
    return show(request, "diff.html", context, title=title, section="workflows")


@require_GET
@page
def compare(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """Two versions chosen in a form (``before``, ``after``): on to how they differ."""
    workflow = visible_workflow(principal, workflow_id)
    before, after = (_version(workflow, number(request, n, 1)) for n in ("before", "after"))
    return redirect("celesta_console:diff", workflow.pk, before.number, after.number)


@require_POST
@page
def restore(
    request: HttpRequest, principal: Principal, workflow_id: int, number: int
) -> HttpResponse:
    """Publish an older version again, as a new one."""
    workflow = visible_workflow(principal, workflow_id)
    require(principal, Role.AUTHOR, workflow.workspace)
    try:
        publication = publishing.restore(
            _version(workflow, number),
            by=user_of(request),
        )
    except DocumentInvalid as error:
        count = sum(p.severity == "error" for p in error.problems)
        messages.error(
            request,
            f"Version {number} is not valid any more ({count} errors, the first: {error}). "
            "Edit the document instead.",
        )
        return redirect("celesta_console:version", workflow.pk, number)
    messages.success(request, f"Published as version {publication.version.number}.")
    return redirect("celesta_console:workflow", workflow.pk)


def _numbers(workflow: Workflow, *chosen: int) -> list[int]:
    """Versions to choose from, newest first: the newest, and those that are chosen."""
    newest = workflow.versions.values_list("number", flat=True)[:ROWS]
    return sorted({*newest, *chosen}, reverse=True)


def _version(workflow: Workflow, number: int) -> WorkflowVersion:
    rows = workflow.versions.select_related("workflow__workspace", "created_by")
    found: WorkflowVersion = get_object_or_404(rows, number=min(number, 2**31 - 1))
    return found


def _kind(line: str) -> str:
    """The class of a line of a unified diff."""
    if line.startswith(("+++", "---")):
        return "file"
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "same")
