"""The grid of a workflow: its last runs beside each other, node by node."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from celesta.access.principals import Principal
from celesta.console.gate import abilities, page
from celesta.console.pages import fragment, show, wants_fragment
from celesta.console.showing.grid import shown
from celesta.console.views.workflows import visible_workflow
from celesta.runs import queries
from celesta.runs.states import TERMINAL_RUN

#: Runs beside each other, and nodes below each other, on one page.
RUNS, NODES = 30, 100


@require_GET
@never_cache
@page
def grid(request: HttpRequest, principal: Principal, workflow_id: int) -> HttpResponse:
    """Which node of which run is in which state; ``older`` and ``from`` page through both."""
    found = visible_workflow(principal, workflow_id)
    rows = queries.runs(principal).filter(workflow=found).order_by("-id")
    if older := _run_id(request.GET.get("older", "")):
        rows = rows.filter(id__lt=older)
    listed = list(rows[: RUNS + 1])
    runs = listed[:RUNS]
    first = _whole(request.GET.get("from", ""))
    table = shown(runs, first, NODES, timezone.now())
    context = {
        "workflow": found,
        "grid": table,
        "next_nodes": first + NODES if table.total > first + NODES else None,
        "first": first,
        "older": runs[-1].pk if len(listed) > RUNS else None,
        "newest": not older,
        "live": not older and any(run.state not in TERMINAL_RUN for run in runs),
        **abilities(principal, found.workspace),
    }
    if wants_fragment(request):
        return fragment(request, "_grid.html", context)
    return show(request, "grid.html", context, title=f"{found}: grid", section="workflows")


def _run_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
