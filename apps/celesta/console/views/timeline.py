"""The timeline of a run."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from celesta.access.principals import Principal
from celesta.console.gate import page
from celesta.console.pages import fragment, show, wants_fragment
from celesta.console.showing.timeline import timeline as read
from celesta.console.views.run import number, visible_run
from celesta.runs.states import TERMINAL_RUN


@require_GET
@never_cache
@page
def timeline(request: HttpRequest, principal: Principal, run_id: UUID) -> HttpResponse:
    """When each node waited for a worker, ran and waited; attempts beside each other."""
    found = visible_run(principal, run_id)
    first = number(request, "from", 0)
    context = {
        "run": found,
        "timeline": read(found, timezone.now(), first),
        "first": first,
        "live": found.state not in TERMINAL_RUN,
    }
    if wants_fragment(request):
        return fragment(request, "_timeline.html", context)
    return show(request, "timeline.html", context, title=f"{found}: timeline", section="runs")
