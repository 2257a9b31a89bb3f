"""Schedules in the admin: a form whose answers come from the same checks as the API's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.forms import Media
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from celesta.access.models import Role
from celesta.console.admin.scoped import ScopedAdmin, principal_of, workspaces_for
from celesta.console.templatetags.celesta_console import exact
from celesta.triggers import schedules
from celesta.triggers.checks import problems_of
from celesta.triggers.models import Schedule, ScheduleSlot
from celesta.triggers.timing import zone
from celesta.workflows.models import Workflow

FIELDS = (
    "name",
    "workflow",
    "cron",
    "every",
    "at",
    "timezone",
    "anchor",
    "starts_at",
    "ends_at",
    "jitter",
    "params",
    "overlap",
    "queue_limit",
    "catch_up",
    "catch_up_limit",
    "enabled",
)
#: What stays empty in the form is what the model says.
DEFAULTED = ("jitter", "overlap", "queue_limit", "catch_up", "catch_up_limit")
#: How far the form looks ahead and back.
COMING = SLOTS = 10


class ScheduleForm(forms.ModelForm):  # type: ignore[type-arg]  # not so at run time
    """One timing, and params that fit the workflow; problems stand at their fields."""

    class Meta:
        model = Schedule
        fields = FIELDS
        labels = {
            "every": "Every (seconds)",
            "at": "Once at",
            "starts_at": "Not before",
            "ends_at": "Not after",
            "jitter": "Jitter (seconds)",
            "overlap": "While a run goes on",
            "queue_limit": "Slots that may wait",
            "catch_up_limit": "Missed starts at most",
            "timezone": "Time zone",
            "anchor": "Counted from",
            "catch_up": "Missed starts",
        }
        help_texts = {
            "cron": "Minute, hour, day of month, month, weekday: '30 9 * * mon-fri'.",
            "every": "Instead of a cron expression.",
            "at": "Instead of both.",
            "jitter": "Each start is later than its slot by up to this much.",
            "overlap": "What a slot does while a run of this schedule has not ended.",
            "queue_limit": "For 'Start when it has ended'; further slots are skipped.",
            "catch_up_limit": "For 'Start every one': the newest so many.",
            "timezone": "For cron expressions, such as Europe/Berlin.",
            "anchor": "For intervals; when empty, they count from midnight UTC.",
            "catch_up": "Of slots that passed while nothing ran, or the workflow was paused.",
            "params": "JSON, checked against the workflow's schema; may read the slot, as in "
            "{{ slot.date }} or {{ slot.since }}.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "params" in self.fields:  # not when one may only look
            self.fields["params"].widget.attrs["rows"] = 4

        for name in DEFAULTED:
            if name in self.fields:
                self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """All problems at once, from the schedule's own checks."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name in DEFAULTED:
            if cleaned.get(name) in (None, "") and name not in self.errors:
                cleaned[name] = getattr(Schedule(), name)
        if self.errors:
            return cleaned
        draft = Schedule(pk=self.instance.pk, **cleaned)
        draft.workspace = draft.workflow.workspace
        draft.cron = schedules.normalised(draft.cron)
        for problem in problems_of(draft):
            name = problem.path.partition(".")[0]
            where = f"{problem.path}: " if name == "params" and name != problem.path else ""
            self.add_error(name if name in self.fields else None, f"{where}{problem.message}")
        self._one_of_a_name(draft)
        return cleaned

    def _one_of_a_name(self, draft: Schedule) -> None:
        others = Schedule.objects.filter(workspace=draft.workspace, name=draft.name)
        if others.exclude(pk=draft.pk).exists():
            self.add_error("name", "There is a schedule of that name already.")


@admin.register(Schedule)
class ScheduleAdmin(ScopedAdmin):
    """Schedules with their next times; operators write them."""

    form = ScheduleForm
    about = (
        "A schedule starts a workflow by the clock: by a cron expression, at intervals, or once. "
        "Open one to see what became of each time, run it now, pause it or fill in the past."
    )
    writes = Role.OPERATOR
    readonly_fields = ("next_times", "last_slots")
    list_display = (
        "name",
        "workflow",
        "timing_shown",
        "enabled",
        "next_shown",
        "health",
        "history",
    )
    list_filter = ("enabled", "paused", "workspace")
    search_fields = ("name", "workflow__name")
    ordering = ("name",)
    list_select_related = ("workflow", "workspace")

    def get_fields(self, request: HttpRequest, obj: Schedule | None = None) -> tuple[str, ...]:
        """What is to come stands beside the timing; what became of slots, once there are some."""
        del request
        found = [*FIELDS]
        found.insert(found.index("params"), "next_times")
        return (*found, *(("last_slots",) if obj else ()))

    def formfield_for_foreignkey(self, field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer workflows of the workspaces in which the user may start runs."""
        if field.name == "workflow":
            rows = Workflow.objects.visible_to(principal_of(request))
            writable = workspaces_for(request, self.writes)
            kwargs["queryset"] = rows.filter(workspace__in=writable).order_by("name")
        return super().formfield_for_foreignkey(field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Schedule, form: Any, change: bool) -> None:
        """Save through the service: cursor, next slot and beat's table with it."""
        del request, form, change
        obj.workspace = obj.workflow.workspace
        schedules.save(obj)

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        """Delete through the service: beat's table with it."""
        del request
        schedules.delete(obj)

    @admin.display(description="When")
    def timing_shown(self, schedule: Schedule) -> str:
        """The timing in words."""
        return schedule.timing.describe()

    @admin.display(description="Next", ordering="next_at")
    def next_shown(self, schedule: Schedule) -> SafeString | str:
        """The next slot in the schedule's own zone."""
        if schedule.enabled and schedule.held:
            return "paused" if schedule.paused else "workflow paused"
        if schedule.next_at is None:
            return "—"
        return exact(schedule.next_at, zone(schedule.timezone))

    @admin.display(description="Slots")
    def history(self, schedule: Schedule) -> SafeString:
        """To the page with what became of its slots, run now, pause and backfills."""
        address = reverse("celesta_console:schedule", args=[schedule.pk])
        return format_html('<a href="{}">open</a>', address)

    @property
    def media(self) -> Any:
        """Our look, and the next times as one types."""
        return super().media + Media(js=["celesta/coming.js"])

    @admin.display(description="Last error")
    def health(self, schedule: Schedule) -> str:
        """Why the last slot started nothing; empty when it did."""
        return schedule.last_error[:120] or "—"

    @admin.display(description="Next times")
    def next_times(self, schedule: Schedule) -> SafeString | str:
        """The next ten slots, in the schedule's zone; a script keeps them in step with the form."""
        address = reverse("celesta_console:coming")
        return format_html(
            '<div class="celesta-coming" data-address="{}" aria-live="polite">{}</div>',
            address,
            self._coming(schedule),
        )

    def _coming(self, schedule: Schedule) -> SafeString | str:
        if not schedule.pk:
            return "Fill in a timing."
        if not schedule.enabled:
            return "none while it is off"
        if schedule.held:
            return f"none while {'it' if schedule.paused else 'the workflow'} is paused"
        place = zone(schedule.timezone)
        rows = [
            (exact(at, place), in_utc(at, place)) for at in schedules.upcoming(schedule, COMING)
        ]
        lines = format_html_join("", "<li>{} <small>{}</small></li>", rows)
        return format_html("<ol>{}</ol>", lines) if rows else "none any more"

    @admin.display(description="Last slots")
    def last_slots(self, schedule: Schedule) -> SafeString | str:
        """What became of the newest slots."""
        rows = ScheduleSlot.objects.filter(schedule=schedule)[:SLOTS]
        shown = [(exact(row.slot, zone(schedule.timezone)), _outcome(row)) for row in rows]
        page = format_html(
            '<a href="{}">all of them, run now, pause, backfill</a>',
            reverse("celesta_console:schedule", args=[schedule.pk]),
        )
        if not shown:
            return format_html("none yet; {}", page)
        lines = format_html_join("", "<li>{} {}</li>", shown)
        return format_html("<ol>{}</ol>{}", lines, page)


def in_utc(at: datetime, place: ZoneInfo) -> str:
    """``(00:30 UTC)``; nothing where the zone's own time says the same."""
    return "" if at.utcoffset() == at.astimezone(place).utcoffset() else f"({at:%H:%M} UTC)"


def _outcome(row: ScheduleSlot) -> SafeString | str:
    if row.run_id is None:
        return row.note
    address = reverse("celesta_console:run", args=[row.run_id])
    return format_html('<a href="{}">run</a> {}', address, row.note)
