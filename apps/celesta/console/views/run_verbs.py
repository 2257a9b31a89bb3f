"""What operators do to a run besides cancelling it: each asks first."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.forms.rerun import RerunForm
from celesta.console.gate import page, require
from celesta.console.pages import fragment, show, wants_fragment
from celesta.console.showing.node import panel
from celesta.console.showing.rerun import foreseen
from celesta.console.views.run import visible_run
from celesta.engine.pausing import pause_run, resume_run
from celesta.engine.rerun import rerun_run
from celesta.engine.skipping import skip_node
from celesta.runs.errors import NothingToRerun, ParamsInvalid, RerunInvalid, RunNotFinished

LONGEST_REASON = 500


def reason_of(request: HttpRequest) -> str:
    """The reason of a confirmation form, as it is kept."""
    return request.POST.get("reason", "").replace("\x00", "").strip()[:LONGEST_REASON]


@require_http_methods(["GET", "POST"])
@page
def pause(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """Ask, then pause."""
    found = visible_run(principal, run_id)
    require(principal, Role.OPERATOR, found.workspace)
    if request.method == "GET":
        return show(request, "run_pause.html", {"run": found}, title="Pause run", section="runs")
    paused = pause_run(run_id, by=principal.name, reason=reason_of(request))
    messages.success(request, f"The run is {paused.state}.")
    return redirect("celesta_console:run", run_id)


@require_POST
@page
def resume(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """Let a paused run go on."""
    found = visible_run(principal, run_id)
    require(principal, Role.OPERATOR, found.workspace)
    resumed = resume_run(run_id, by=principal.name)
    messages.success(request, f"The run goes on: it is {resumed.state}.")
    return redirect("celesta_console:run", run_id)


@require_http_methods(["GET", "POST"])
@page
def skip(
    request: HttpRequest, principal: Principal, run_id: UUID, scope: int, index: int
) -> HttpResponse:
    """Ask, then skip a node."""
    found = visible_run(principal, run_id)
    require(principal, Role.OPERATOR, found.workspace)
    shown_panel = panel(found, scope, index, timezone.now())
    if request.method == "GET":
        context = {"run": found, "panel": shown_panel}
        return show(request, "node_skip.html", context, title="Skip node", section="runs")
    skip_node(run_id, scope, index, by=principal.name, reason=reason_of(request))
    messages.success(request, f"{shown_panel.node.title or shown_panel.node.name} is skipped.")
    return redirect("celesta_console:run", run_id)


@require_http_methods(["GET", "POST"])
@page
def rerun(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """Choose what of a run runs again, on which version, with which params.

    What would run and what would be kept is told before, to our script as a part of the page.
    """
    found = visible_run(principal, run_id)
    require(principal, Role.OPERATOR, found.workspace)
    if wants_fragment(request):
        return fragment(request, "_rerun_preview.html", {"foreseen": foreseen(found, request.GET)})
    form = RerunForm(found, request.POST or None, initial={"nodes": request.GET.getlist("node")})
    asks_first = "preview" in request.POST
    if request.method == "POST" and not asks_first and form.is_valid():
        try:
            started = rerun_run(found, principal=principal, trigger="console", **form.asked())
        except (RerunInvalid, ParamsInvalid, RunNotFinished, NothingToRerun) as error:
            form.place(error)
        else:
            messages.success(request, f"Run again: {form.told()}.")
            return redirect("celesta_console:run", started.run.pk)
    seen = foreseen(found, request.POST or form.initial)
    context = {"run": found, "form": form, "foreseen": seen}
    status = 400 if form.errors else 200
    title = f"Run {found.workflow} again"
    return show(request, "rerun.html", context, title=title, section="runs", status=status)
