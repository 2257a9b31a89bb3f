"""One run: its page, what of it changes, its nodes, and the two things to do with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.gate import abilities, page, require
from celesta.console.pages import fragment, pages_built, show, wants_fragment
from celesta.console.showing.logs import as_text, log_cursor, log_of, stream_cursor
from celesta.console.showing.node import panel
from celesta.console.showing.run import recent_events, shown
from celesta.engine.cancellation import cancel_run
from celesta.engine.start import start_run
from celesta.runs import queries
from celesta.runs.errors import NotPublished
from celesta.runs.models import Event, NodeRun, Run
from celesta.runs.states import TERMINAL_NODE, TERMINAL_RUN, NodeState, RunState
from celesta.runs.why import Cause
from celesta.runs.why_facts import why_waiting

#: Digits of the largest number that a page's address may carry.
DIGITS = 9


@require_GET
@never_cache
@page
def run(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """The page of a run; to our script only what changed, or 204 while nothing did."""
    found = visible_run(principal, run_id)
    if wants_fragment(request) and _unchanged(request, found):
        return HttpResponse(status=204)
    context = _context(request, principal, found)
    if wants_fragment(request):
        return fragment(request, "_run_live.html", context)
    context["stream_after"] = stream_cursor(found.pk)
    context["picture"] = context["shown"].picture
    context["built"] = pages_built()
    return show(request, "run.html", context, title=f"{found.workflow}: run", section="runs")


def visible_run(principal: Principal, run_id: UUID) -> Run:
    """The run with its workflow and version; Http404 when it is not there for this principal."""
    found = queries.runs(principal).filter(pk=run_id).first()
    if found is None:
        raise Http404(f"There is no run {run_id}.")
    return found


def _context(request: HttpRequest, principal: Principal, found: Run) -> dict[str, Any]:
    state = request.GET.get("state", "")
    return {
        "run": found,
        "shown": shown(found, timezone.now(), state=state, after=number(request, "after", -1)),
        "state": state,
        "node_states": list(NodeState),
        "again_of": _again_of(found),
        "may_cancel": found.state not in (*TERMINAL_RUN, RunState.CANCELLING),
        **abilities(principal, found.workspace),
    }


def _unchanged(request: HttpRequest, found: Run) -> bool:
    """True when the page already shows the last event of a run that is over or not moving."""
    newest = Event.objects.filter(run_id=found.pk).order_by("-id").values_list("id", flat=True)
    return (
        request.GET.get("seen", "") == str(newest[:1].first() or 0)
        and request.GET.get("was", "") == found.state
        and found.state != RunState.RUNNING  # its durations go on
    )


def _again_of(found: Run) -> UUID | None:
    kind, _, ref = found.trigger_ref.partition(":")
    return UUID(ref) if found.trigger == "console" and kind == "again" else found.rerun_of


def number(request: HttpRequest, name: str, default: int) -> int:
    """A whole number of the query string; the default when there is none."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS else default


@require_GET
@never_cache
@page
def node(
    request: HttpRequest, principal: Principal, run_id: UUID, scope: int, index: int
) -> HttpResponse:
    """One node run: a page of its own, or the panel beside the run's page."""
    found = visible_run(principal, run_id)
    if max(scope, index) >= 2**31:
        raise Http404("There is no such node.")
    state = request.GET.get("state", "")
    shown_panel = panel(
        found, scope, index, timezone.now(), state=state, after=number(request, "after", -1)
    )
    context = {
        "run": found,
        "panel": shown_panel,
        "state": state,
        **abilities(principal, found.workspace),
        "log": log_of(run_id, scope, index),
        "why": _why(found, shown_panel.row),
        "live": found.state not in TERMINAL_RUN,
        "stream_after": f"{stream_cursor(run_id)}.{log_cursor(run_id)}",
    }
    if wants_fragment(request):
        return fragment(request, "_node.html", context)
    title = f"{shown_panel.node.name}: node"
    return show(request, "node.html", context, title=title, section="runs")


def _why(found: Run, row: NodeRun) -> list[Cause]:
    """Why it does not run; nothing for what is over: its state and error say it."""
    return [] if row.state in TERMINAL_NODE else why_waiting(found, row)


@require_GET
@page
def node_log(
    request: HttpRequest, principal: Principal, run_id: UUID, scope: int, index: int
) -> HttpResponse:
    """All that a node run logged and printed, as a file."""
    found = visible_run(principal, run_id)
    if max(scope, index) >= 2**31:
        raise Http404("There is no such node.")
    answer = HttpResponse(as_text(run_id, scope, index), content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.pk}-{scope}-{index}.log"'
    return answer


@require_GET
@page
def value(request: HttpRequest, principal: Principal, run_id: UUID, what: str) -> HttpResponse:
    """The params or output of a run, or the output of a node run, whole, as a file."""
    found = visible_run(principal, run_id)
    if what in ("params", "output"):
        return _file(getattr(found, what), f"{run_id}-{what}.json")
    shown_panel = panel(
        found, number(request, "scope", 0), number(request, "node", 0), timezone.now()
    )
    return _file(shown_panel.output, f"{run_id}-{shown_panel.node.name}.json")


def _file(content: Any, name: str) -> HttpResponse:
    options = {"indent": 2, "ensure_ascii": False}
    answer = JsonResponse(content, safe=False, json_dumps_params=options)
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
    answer.headers["Content-Disposition"] = f'attachment; filename="{safe}"'
    return answer


@require_GET
@page
def events(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """The history of a run, newest first, a page at a time."""
    found = visible_run(principal, run_id)
    before = number(request, "before", 0) or None
    listed = recent_events(run_id, queries.plan_of(found.version_id), before)
    context = {"run": found, "events": listed}
    return show(request, "events.html", context, title="Events", section="runs")


@require_http_methods(["GET", "POST"])
@page
def cancel(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """Ask, then cancel."""
    found = visible_run(principal, run_id)
    require(principal, Role.OPERATOR, found.workspace)
    if request.method == "GET":
        return show(request, "cancel.html", {"run": found}, title="Cancel run", section="runs")
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:500]
    cancelled = cancel_run(run_id, by=principal.name, reason=reason)
    messages.success(request, f"The run is {cancelled.state}.")
    return redirect("celesta_console:run", run_id)


@require_POST
@page
def again(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """A new run of the current version with the same params."""
    found = visible_run(principal, run_id)
    require(principal, Role.OPERATOR, found.workspace)
    version = found.workflow.current
    if version is None:
        raise NotPublished
    started = start_run(
        version,
        dict(found.params),
        principal=principal,
        trigger="console",
        trigger_ref=f"again:{found.pk}",
    )
    messages.success(request, f"Started with the same params, on version {version.number}.")
    return redirect("celesta_console:run", started.run.pk)
