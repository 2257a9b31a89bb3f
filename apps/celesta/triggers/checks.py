"""What is wrong with a schedule: every problem at once, each at its field."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from celesta.engine.params import checked_params
from celesta.graph.problems import Problem
from celesta.runs.errors import ParamsInvalid
from celesta.triggers.cron import CronInvalid, parse
from celesta.triggers.models import Schedule
from celesta.triggers.recurrence import Recurrence
from celesta.triggers.slot_params import Slot, resolved
from celesta.triggers.timing import Timing, ZoneUnknown, zone

MAX_EVERY = 366 * 86_400
MAX_JITTER = 86_400
#: Slots that may wait in line, or be caught up.
MAX_SLOTS = 100_000
YEARS = range(1970, 2200)


def problems_of(schedule: Schedule) -> list[Problem]:
    """Everything that keeps this schedule from being saved; an empty list when it is fine."""
    return [
        *_name(schedule),
        *_policies(schedule),
        *(wrong := recurrence_problems(schedule.recurrence)),
        *([] if wrong else _never(schedule)),
        *_workspace(schedule),
        *_params(schedule, usable=not wrong),
    ]


def _name(schedule: Schedule) -> Iterator[Problem]:
    if not schedule.name.strip() or not schedule.name.isprintable():
        message = f"{schedule.name!r} is not a name"
        yield Problem("invalid_name", "name", message, "Write a line of printable text.")


def _policies(schedule: Schedule) -> Iterator[Problem]:
    for field, choices in (("catch_up", Schedule.CatchUp), ("overlap", Schedule.Overlap)):
        value = getattr(schedule, field)
        if value not in choices.values:
            yield Problem(
                "unknown_policy", field, f"no policy {value!r}", ", ".join(choices.values)
            )
    for field in ("queue_limit", "catch_up_limit"):
        value = getattr(schedule, field)
        if not 1 <= value <= MAX_SLOTS:
            message = f"{value} slots cannot be a limit"
            yield Problem("invalid_limit", field, message, f"Write 1 to {MAX_SLOTS}.")


def timing_problems(timing: Timing) -> list[Problem]:
    """What is wrong with a timing alone."""
    return [*_one_of(timing), *_zone(timing), *_moment("anchor", timing.anchor)]


def recurrence_problems(rhythm: Recurrence) -> list[Problem]:
    """What is wrong with a timing and its bounds."""
    found = [
        *timing_problems(rhythm.timing),
        *_moment("at", rhythm.timing.at),
        *_moment("starts_at", rhythm.starts_at),
        *_moment("ends_at", rhythm.ends_at),
    ]
    if not 0 <= rhythm.jitter <= MAX_JITTER:
        message = f"{rhythm.jitter} seconds cannot be a jitter"
        found.append(
            Problem("invalid_jitter", "jitter", message, f"Write 0 to {MAX_JITTER} (a day).")
        )
    if not found and rhythm.starts_at and rhythm.ends_at and rhythm.ends_at < rhythm.starts_at:
        message = "the end is before the start"
        found.append(Problem("ends_before_start", "ends_at", message, "Write a later instant."))
    return found


def _never(schedule: Schedule) -> Iterator[Problem]:
    """A schedule that begins to count now must have something to come."""
    before = Schedule.objects.filter(pk=schedule.pk).first() if schedule.pk else None
    same = before is not None and before.enabled and before.recurrence == schedule.recurrence
    if not schedule.enabled or same or schedule.recurrence.after(timezone.now()) is not None:
        return
    field = "at" if schedule.at is not None else "ends_at"
    message = "no slot is left: nothing would ever start"
    yield Problem("never_due", field, message, "Write an instant in the future, or switch it off.")


def _one_of(timing: Timing) -> Iterator[Problem]:
    given = (bool(timing.cron), timing.every is not None, timing.at is not None)
    if sum(given) != 1:
        yield Problem(
            "cron_or_interval",
            "cron",
            "a schedule has either a cron expression, an interval, or one instant",
            "Fill in exactly one of 'cron', 'every' and 'at'.",
        )
    elif timing.every is not None and not 1 <= timing.every <= MAX_EVERY:
        message = f"{timing.every} seconds cannot be an interval"
        yield Problem("invalid_interval", "every", message, f"Write 1 to {MAX_EVERY} (a year).")
    elif timing.cron:
        try:
            # Some can be read and yet never happen: a first Monday that is February 29th.
            parse(timing.cron).after(timezone.now(), zone("UTC"))
        except CronInvalid as error:
            yield Problem("invalid_cron", "cron", str(error), "See docs/schedules.md.")


def _zone(timing: Timing) -> Iterator[Problem]:
    try:
        zone(timing.zone)
    except ZoneUnknown as error:
        yield Problem("unknown_zone", "timezone", str(error), "Names are those of the IANA list.")


def _moment(field: str, moment: datetime | None) -> Iterator[Problem]:
    if moment is not None and moment.year not in YEARS:
        message = f"the year {moment.year} is none of ours"
        hint = "Write a moment of our times."
        yield Problem(f"invalid_{field}", field, message, hint)


def _workspace(schedule: Schedule) -> Iterator[Problem]:
    if schedule.workflow.workspace_id != schedule.workspace_id:
        yield Problem(
            "other_workspace",
            "workflow",
            "the workflow is in another workspace",
            "A schedule starts workflows of its own workspace.",
        )


def _params(schedule: Schedule, *, usable: bool) -> list[Problem]:
    """Against the current version; without one there is nothing to check against yet."""
    version = schedule.workflow.current
    if not isinstance(schedule.params, dict):
        return [Problem("not_an_object", "params", "the params must be a JSON object", "{...}")]
    if version is None:
        return []
    now = timezone.now()
    slot = Slot(now, now)
    if usable:
        slot = Slot(schedule.recurrence.after(now) or now, now, schedule.timezone)
    try:  # as its next slot will do it
        params = resolved(schedule.params, slot)
        checked_params(version.plan.params_schema, params)
    except ParamsInvalid as error:
        return error.problems
    return []
