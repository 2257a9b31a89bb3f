"""Backfills of a schedule: the form with its preview, the progress, pause, resume and cancel."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.forms.timing import BackfillForm
from celesta.console.gate import abilities, page, require
from celesta.console.pages import fragment, show, wants_fragment
from celesta.console.views.schedules import visible_schedule
from celesta.runs.models import Run
from celesta.triggers import backfills
from celesta.triggers.errors import BackfillInvalid
from celesta.triggers.models import Backfill, BackfillSlot, Schedule
from celesta.triggers.timing import zone

ROWS = 100


@require_http_methods(["GET", "POST"])
@page
def new(request: HttpRequest, principal: Principal, schedule_id: int) -> HttpResponse:
    """The form; to a POST its preview, or with ``start`` the backfill itself."""
    found = visible_schedule(principal, schedule_id)
    require(principal, Role.OPERATOR, found.workspace)
    form = BackfillForm(request.POST if request.method == "POST" else None, initial=_initial(found))
    preview = None
    if request.method == "POST" and form.is_valid():
        try:
            draft, limit = _draft(found, form), form.cleaned_data["max_slots"]
            if "start" in request.POST:
                made = backfills.create(draft, principal=principal, limit=limit)
                messages.success(request, f"{made.total} slots are being started.")
                return redirect("celesta_console:backfill", made.pk)
            preview = backfills.preview(draft, limit)
        except BackfillInvalid as error:
            form.place(error.problems)
    context = {
        "schedule": found,
        "form": form,
        "preview": preview,
        "place": zone(found.timezone),
    }
    status = 400 if form.errors else 200
    title = f"Backfill {found.name}"
    return show(
        request, "backfill_new.html", context, title=title, section="schedules", status=status
    )


def _initial(found: Schedule) -> dict[str, Any]:
    """The last week, for a start, with the schedule's own params."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    begin = midnight - timedelta(days=7)
    return {"begin": begin, "until": midnight, "params": found.params}


def _draft(found: Schedule, form: BackfillForm) -> Backfill:
    begin, until = form.cleaned_data["begin"], form.cleaned_data["until"]
    return form.fill(backfills.of_schedule(found, begin, until))


def visible_backfill(principal: Principal, backfill_id: int) -> Backfill:
    """The backfill; Http404 when it is not there for this principal."""
    rows = Backfill.objects.visible_to(principal).select_related(
        "workspace", "workflow", "schedule"
    )
    found: Backfill = get_object_or_404(rows, pk=min(backfill_id, 2**63 - 1))
    return found


@require_GET
@never_cache
@page
def backfill(request: HttpRequest, principal: Principal, backfill_id: int) -> HttpResponse:
    """How far a backfill is, and what became of its slots, the newest starts first."""
    found = visible_backfill(principal, backfill_id)
    after = request.GET.get("after", "")
    rows = BackfillSlot.objects.filter(backfill=found)
    if after.isascii() and after.isdigit():
        rows = rows.filter(number__gte=min(int(after[:9]), 2**31 - 1))
    elif found.state == Backfill.State.RUNNING:
        rows = rows.filter(number__gte=max(found.cursor - ROWS // 2, 0))
    state = Run.objects.filter(pk=OuterRef("run_id")).values("state")[:1]
    slots = list(rows.annotate(run_state=Subquery(state)).order_by("number")[: ROWS + 1])
    context = {
        "backfill": found,
        "slots": slots[:ROWS],
        "following": slots[ROWS].number if len(slots) > ROWS else None,
        "first": slots[0].number if slots else 0,
        "earlier": max(slots[0].number - ROWS, 0) if slots else 0,
        "open": BackfillSlot.objects.filter(backfill=found, active=True).count(),
        "going": found.state == Backfill.State.RUNNING,
        "stoppable": found.state in (Backfill.State.RUNNING, Backfill.State.PAUSED),
        "place": zone(found.timezone),
        "share": 100 * found.cursor // max(found.total, 1),
        **abilities(principal, found.workspace),
    }
    if wants_fragment(request):
        return fragment(request, "_backfill.html", context)
    return show(
        request, "backfill.html", context, title=f"Backfill {found.pk}", section="schedules"
    )


@require_POST
@page
def move(request: HttpRequest, principal: Principal, backfill_id: int, verb: str) -> HttpResponse:
    """Pause, resume or cancel a backfill."""
    found = visible_backfill(principal, backfill_id)
    require(principal, Role.OPERATOR, found.workspace)
    if verb == "cancel":
        backfills.cancel(found)
    elif verb in ("pause", "resume"):
        backfills.set_paused(found, paused=verb == "pause")
    else:
        raise Http404
    return redirect("celesta_console:backfill", found.pk)
