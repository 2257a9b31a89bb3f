"""Timings and backfills as people enter them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime

from celesta.console.forms.strict_json import StrictJSON
from celesta.graph.problems import Problem
from celesta.triggers.backfills import MOST_ACTIVE, MOST_SLOTS, USUAL_SLOTS
from celesta.triggers.checks import recurrence_problems
from celesta.triggers.models import Backfill
from celesta.triggers.recurrence import Recurrence
from celesta.triggers.schedules import normalised
from celesta.triggers.timing import Timing


def _instant() -> forms.SplitDateTimeField:
    return forms.SplitDateTimeField(required=False, widget=AdminSplitDateTime)


class TimingForm(forms.Form):
    """The timing fields of the schedule's form, as they stand while somebody types."""

    cron = forms.CharField(required=False, max_length=100)
    every = forms.IntegerField(required=False, max_value=2**31)
    timezone = forms.CharField(required=False, max_length=63)
    at, anchor, starts_at, ends_at = _instant(), _instant(), _instant(), _instant()

    def recurrence(self) -> Recurrence | None:
        """What was entered; None with the problems at their fields."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        timing = Timing(
            normalised(given["cron"]), given["every"], given["timezone"] or "UTC",
            given["anchor"], given["at"],
        )  # fmt: skip
        rhythm = Recurrence(timing, given["starts_at"], given["ends_at"])
        self.place(recurrence_problems(rhythm))
        return None if self.errors else rhythm

    def place(self, problems: list[Problem]) -> None:
        """Put problems at their fields."""
        _place(self, problems)


class BackfillForm(forms.Form):
    """A range of a schedule's slots, and how they are started."""

    begin = forms.DateTimeField(
        label="From",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="In UTC, included.",
    )
    until = forms.DateTimeField(
        label="Up to",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="In UTC, included; not in the future.",
    )
    max_active = forms.IntegerField(
        label="Runs at once", initial=10, min_value=1, max_value=MOST_ACTIVE
    )
    newest_first = forms.BooleanField(label="Newest first", required=False)
    existing = forms.ChoiceField(
        label="Slots that have a run already", choices=Backfill.Existing.choices
    )
    max_slots = forms.IntegerField(
        label="Slots at most", initial=USUAL_SLOTS, min_value=1, max_value=MOST_SLOTS,
        help_text="A range with more is refused.",
    )  # fmt: skip
    params = StrictJSON(
        label="Params",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="{{ slot.time }} and {{ slot.since }} tell what a run is for. When empty, those "
        "of the schedule.",
    )

    def clean_begin(self) -> datetime:
        """In UTC, whatever zone the pages are in."""
        return _utc(self.cleaned_data["begin"])

    def clean_until(self) -> datetime:
        """In UTC, whatever zone the pages are in."""
        return _utc(self.cleaned_data["until"])

    def fill(self, draft: Backfill) -> Backfill:
        """Put what was entered into a draft."""
        given: dict[str, Any] = self.cleaned_data
        draft.max_active, draft.newest_first = given["max_active"], given["newest_first"]
        draft.existing = given["existing"]
        if given["params"] is not None:
            draft.params = given["params"]
        return draft

    def place(self, problems: list[Problem]) -> None:
        """Put problems at their fields."""
        _place(self, problems)


def _utc(entered: datetime) -> datetime:
    return entered.replace(tzinfo=UTC)


def _place(form: forms.Form, problems: list[Problem]) -> None:
    for problem in problems:
        name = problem.path.partition(".")[0]
        hint = f" {problem.hint}" if problem.hint else ""
        form.add_error(name if name in form.fields else None, f"{problem.message}.{hint}")
