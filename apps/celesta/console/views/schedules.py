"""A schedule's page: what is to come, what became of its slots; pause, resume, run now."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.forms.timing import TimingForm
from celesta.console.gate import abilities, page, require
from celesta.console.pages import fragment, show
from celesta.runs.models import Run
from celesta.triggers import schedules
from celesta.triggers.models import Backfill, Schedule, ScheduleSlot
from celesta.triggers.timing import zone

COMING = 10
ROWS = 50
BACKFILLS = 10


def visible_schedule(principal: Principal, schedule_id: int) -> Schedule:
    """The schedule with its workflow; Http404 when it is not there for this principal."""
    rows = Schedule.objects.visible_to(principal).select_related("workspace", "workflow__current")
    found: Schedule = get_object_or_404(rows, pk=min(schedule_id, 2**63 - 1))
    return found


@require_GET
@page
def schedule(request: HttpRequest, principal: Principal, schedule_id: int) -> HttpResponse:
    """What a schedule will do and what it did."""
    found = visible_schedule(principal, schedule_id)
    before = parse_before(request)
    rows = list(_slots(found, before)[: ROWS + 1])
    context = {
        "schedule": found,
        "coming": schedules.upcoming(found, COMING),
        "starts": [found.recurrence.start_of(at) for at in schedules.upcoming(found, 1)],
        "place": zone(found.timezone),
        "slots": rows[:ROWS],
        "before": before,
        "earlier": rows[ROWS - 1].slot.isoformat() if len(rows) > ROWS else "",
        "backfills": Backfill.objects.filter(schedule=found)[:BACKFILLS],
        "now": timezone.now(),
        **abilities(principal, found.workspace),
    }
    return show(request, "schedule.html", context, title=found.name, section="schedules")


def parse_before(request: HttpRequest) -> datetime | None:
    """From which instant on an older page goes; None for the newest, and for what is none."""
    try:
        moment = parse_datetime(request.GET.get("before", "")[:40].replace(" ", "+"))
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def _slots(found: Schedule, before: datetime | None) -> QuerySet[ScheduleSlot]:
    state = Run.objects.filter(pk=OuterRef("run_id")).values("state")[:1]
    rows = ScheduleSlot.objects.filter(schedule=found).annotate(run_state=Subquery(state))
    return (rows.filter(slot__lt=before) if before else rows).order_by("-slot")


@require_POST
@page
def pause(request: HttpRequest, principal: Principal, schedule_id: int) -> HttpResponse:
    """Pause a schedule, or with ``paused=0`` resume it."""
    found = visible_schedule(principal, schedule_id)
    require(principal, Role.OPERATOR, found.workspace)
    paused = request.POST.get("paused") != "0"
    schedules.set_paused(found, paused=paused)
    said = (
        "It starts nothing until it is resumed."
        if paused
        else "It goes on; its catch-up policy decides about what it missed."
    )
    messages.success(request, said)
    return redirect("celesta_console:schedule", found.pk)


@require_POST
@page
def run_now(request: HttpRequest, principal: Principal, schedule_id: int) -> HttpResponse:
    """Start a run beside the slots, and show it."""
    found = visible_schedule(principal, schedule_id)
    require(principal, Role.OPERATOR, found.workspace)
    made = schedules.run_now(found, principal=principal)
    messages.success(request, "Started.")
    return redirect("celesta_console:run", made.run_id)


@require_GET
@page
def coming(request: HttpRequest, principal: Principal) -> HttpResponse:
    """The next times of a timing as it stands in the form, or what is wrong with it."""
    del principal  # a timing says nothing about anybody's data
    form = TimingForm(request.GET)
    rhythm = form.recurrence()
    context = {
        "coming": schedules.next_slots(rhythm, count=COMING) if rhythm else [],
        "place": zone(rhythm.timing.zone) if rhythm else None,
        "form": form,
        "words": rhythm.timing.describe() if rhythm else "",
    }
    return fragment(request, "_coming.html", context)
