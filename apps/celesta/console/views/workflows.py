"""Workflows: the list, one workflow's page, switching it on and off, pausing it."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.drawing.pictures import picture, visible
from celesta.console.gate import abilities, page, require
from celesta.console.pages import show
from celesta.console.showing.params import rows_of, schema_of
from celesta.console.showing.run import median_duration
from celesta.console.views.runs import workspaces_of
from celesta.runs import queries
from celesta.runs.models import Run
from celesta.triggers.models import Schedule
from celesta.workflows.activation import set_active, set_paused
from celesta.workflows.models import Workflow

ROWS = 50
RECENT = 20


@require_GET
@page
def workflows(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Workflows by name, with the state of their last run."""
    asked = {name: request.GET.get(name, "") for name in ("search", "tag", "workspace")}
    after = request.GET.get("after", "")
    found = list(_filtered(principal, asked, after)[: ROWS + 1])
    shown = found[:ROWS]
    context = {
        "workflows": shown,
        "asked": asked,
        "after": f"{shown[-1].name}/{shown[-1].pk}" if len(found) > ROWS else None,
        "workspaces": workspaces_of(principal),
        "may_author": principal.everywhere
        or any(principal.may(Role.AUTHOR, pk) for pk in principal.workspace_ids),
    }
    return show(request, "workflows.html", context, title="Workflows", section="workflows")


def _filtered(principal: Principal, asked: dict[str, str], after: str) -> QuerySet[Workflow]:
    asked = {name: text.replace("\x00", "") for name, text in asked.items()}
    last = Run.objects.filter(workflow=OuterRef("pk")).order_by("-created_at", "-id")
    rows: QuerySet[Workflow] = Workflow.objects.visible_to(principal)
    rows = (
        rows.select_related("workspace", "current")
        .defer("draft", "current__source", "current__document", "current__plan_json")
        .annotate(
            last_state=Subquery(last.values("state")[:1]),
            last_id=Subquery(last.values("id")[:1]),
            last_at=Subquery(last.values("created_at")[:1]),
        )
    )
    if asked["search"]:
        rows = rows.filter(Q(name__icontains=asked["search"]) | Q(title__icontains=asked["search"]))
    if asked["tag"]:
        rows = rows.filter(tags__contains=[asked["tag"]])
    if asked["workspace"]:
        rows = rows.filter(workspace__slug=asked["workspace"])
    name, _, pk = after.replace("\x00", "").rpartition("/")
    if name and pk.isascii() and pk.isdigit() and len(pk) < 18:
        rows = rows.filter(Q(name__gt=name) | Q(name=name, pk__gt=int(pk)))
    return rows.order_by("name", "pk")


def visible_workflow(principal: Principal, workflow_id: int) -> Workflow:
    """The workflow with its current version; Http404 when it is not there for this principal."""
    rows = Workflow.objects.visible_to(principal).select_related("workspace", "current")
    found: Workflow = get_object_or_404(rows, pk=min(workflow_id, 2**63 - 1))
    return found


@require_GET
@page
def workflow(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """What a workflow is (graph, params, schedules) and how it has been doing (last runs)."""
    found = visible_workflow(principal, workflow_id)
    plan = queries.plan_of(found.current_id) if found.current_id else None
    runs = list(queries.runs(principal).filter(workflow=found)[:RECENT])
    schedules = Schedule.objects.filter(workflow=found)
    soonest = schedules.order_by(F("next_at").asc(nulls_last=True), "name")
    context = {
        "workflow": found,
        "plan": plan,
        "node_count": sum(visible(node) for node in plan.nodes) if plan else 0,
        "params": rows_of(schema_of(found.current_id)) if found.current_id else [],
        "picture": picture(plan) if plan else None,
        "runs": runs,
        "median": median_duration(runs),
        "schedules": soonest[:RECENT],
        "schedule_count": schedules.count(),
        "now": timezone.now(),
        **abilities(principal, found.workspace),
    }
    title = found.title or found.name
    return show(request, "workflow.html", context, title=title, section="workflows")


@require_POST
@page
def activate(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """Switch a workflow on, or with ``active=0`` off."""
    found = visible_workflow(principal, workflow_id)
    require(principal, Role.AUTHOR, found.workspace)
    active = request.POST.get("active") != "0"
    set_active(found, active=active)
    messages.success(
        request, "New runs are accepted." if active else "New runs are refused; those going go on."
    )
    return redirect("celesta_console:workflow", found.pk)


@require_POST
@page
def pause(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """Pause a workflow, or with ``paused=0`` resume it."""
    found = visible_workflow(principal, workflow_id)
    require(principal, Role.AUTHOR, found.workspace)
    paused = request.POST.get("paused") != "0"
    set_paused(found, paused=paused)
    said = (
        "Its schedules are held back; it can be started by hand."
        if paused
        else ("Its schedules go on; each one's catch-up policy decides about what it missed.")
    )
    messages.success(request, said)
    return redirect("celesta_console:workflow", found.pk)
