"""The first page: how everything is doing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.drawing.bars import chart
from celesta.console.gate import page
from celesta.console.pages import fragment, show, wants_fragment
from celesta.runs import figures
from celesta.runs.cluster import cluster
from celesta.triggers.models import Schedule

NEXT = 8


@require_GET
@never_cache
@page
def dashboard(request: HttpRequest, principal: Principal) -> HttpResponse:
    """What runs, waits, fails, is slow and comes next, in the workspaces that one may see."""
    now = timezone.now()
    recent = figures.recent(principal, now)
    due = Schedule.objects.visible_to(principal).filter(
        enabled=True,
        paused=False,
        workflow__paused=False,
        workflow__active=True,
        next_at__isnull=False,
    )
    context = {
        "open": figures.open_runs(principal),
        "recent": recent,
        "chart": chart(recent.buckets),
        "queues": figures.waiting_by_queue(principal),
        "failures": figures.failures(principal, now),
        "slowest": figures.slowest(principal, now),
        "due": due.select_related("workflow").order_by("next_at")[:NEXT],
        "cluster": cluster() if principal.may_anywhere(Role.OPERATOR) else None,
        "now": now,
    }
    if wants_fragment(request):
        return fragment(request, "_dashboard.html", context)
    return show(request, "dashboard.html", context, title="Dashboard", section="dashboard")
