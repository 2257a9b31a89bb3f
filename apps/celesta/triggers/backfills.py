"""Backfills made, looked at before they are made, paused, resumed and cancelled.

The slots of a backfill are written when it is made; starting them is in :mod:`.backfilling`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise

from django.db import transaction

from celesta.access.principals import Principal
from celesta.engine.params import checked_params
from celesta.graph.problems import Problem
from celesta.runs.errors import NotPublished, ParamsInvalid
from celesta.triggers.checks import timing_problems
from celesta.triggers.errors import BackfillEnded, BackfillInvalid
from celesta.triggers.models import Backfill, BackfillSlot, Schedule, ScheduleSlot
from celesta.triggers.recurrence import Recurrence
from celesta.triggers.schedules import database_now
from celesta.triggers.slot_params import Slot, resolved
from celesta.workflows.models import Workflow

#: Slots of one backfill, at most; and those of one that names no number of its own.
MOST_SLOTS, USUAL_SLOTS = 100_000, 10_000
MOST_ACTIVE = 10_000
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Preview:
    """What a backfill would come to. ``existing`` of its ``count`` slots have a run already."""

    count: int
    first: tuple[datetime, ...]
    last: tuple[datetime, ...]
    existing: int


def of_schedule(schedule: Schedule, begin: datetime, until: datetime) -> Backfill:
    """A draft: that schedule's slots from ``begin`` to ``until``, both included."""
    draft = of_workflow(schedule.workflow, begin, until)
    draft.schedule, draft.params = schedule, schedule.params
    draft.cron, draft.every = schedule.cron, schedule.every
    draft.timezone, draft.anchor = schedule.timezone, schedule.anchor
    return draft


def of_workflow(workflow: Workflow, begin: datetime, until: datetime) -> Backfill:
    """A draft without a schedule: its timing is still to be filled in."""
    return Backfill(workspace=workflow.workspace, workflow=workflow, begin=begin, until=until)


def preview(draft: Backfill, limit: int = USUAL_SLOTS) -> Preview:
    """What would be started; raises BackfillInvalid with every problem, too many slots as well."""
    slots = _checked(draft, limit)
    return Preview(
        count=len(slots),
        first=tuple(slots[:_SHOWN]),
        last=tuple(slots[_SHOWN:][-_SHOWN:]),
        existing=_existing(draft),
    )


def create(draft: Backfill, *, principal: Principal, limit: int = USUAL_SLOTS) -> Backfill:
    """Save a backfill with its slots; the leader starts them. Raises BackfillInvalid."""
    slots = _checked(draft, limit)
    since = [Recurrence(draft.timing).before(slots[0]), *slots]
    pairs = list(pairwise(since))
    if draft.newest_first:
        pairs.reverse()
    draft.total, draft.created_by = len(pairs), principal.name
    with transaction.atomic():
        draft.save()
        BackfillSlot.objects.bulk_create(
            [
                BackfillSlot(backfill=draft, number=number, since=before, slot=slot)
                for number, (before, slot) in enumerate(pairs)
            ],
            batch_size=2000,
        )
    return draft


def set_paused(backfill: Backfill, *, paused: bool) -> Backfill:
    """Start no more slots, or go on; runs that were started go on either way.

    Raises BackfillEnded when there is nothing left to hold back.
    """
    return _move(backfill, Backfill.State.PAUSED if paused else Backfill.State.RUNNING)


def cancel(backfill: Backfill) -> Backfill:
    """Start no more slots, for good; runs that were started go on. Raises BackfillEnded."""
    return _move(backfill, Backfill.State.CANCELLED)


def _move(backfill: Backfill, state: Backfill.State) -> Backfill:
    with transaction.atomic():
        row = Backfill.objects.select_for_update().get(pk=backfill.pk)
        if row.state not in (Backfill.State.RUNNING, Backfill.State.PAUSED):
            raise BackfillEnded(f"The backfill is {row.state} and cannot change.")
        row.state = state
        row.ended_at = database_now() if state == Backfill.State.CANCELLED else None
        row.save(update_fields=["state", "ended_at"])
    backfill.state, backfill.ended_at = row.state, row.ended_at
    return backfill


def _checked(draft: Backfill, limit: int) -> list[datetime]:
    problems = [*_problems(draft), *_numbers(draft, limit)]
    if problems:
        raise BackfillInvalid(problems=problems)
    slots = list(islice(_slots(draft), limit + 1))
    if not slots:
        raise _refused("no_slots", "until", "no slot lies between begin and until")
    if len(slots) > limit:
        message = f"there are more than {limit} slots between begin and until"
        hint = f"Take a shorter range, or a higher max_slots (at most {MOST_SLOTS})."
        raise _refused("too_many_slots", "max_slots", message, hint)
    if problems := _params(draft, slots[0]):
        raise BackfillInvalid(problems=problems)
    return slots


def _slots(draft: Backfill) -> Iterator[datetime]:
    timing = draft.timing
    rhythm = Recurrence(timing, starts_at=draft.begin, ends_at=draft.until)
    return rhythm.slots(draft.begin - timedelta(seconds=1), draft.until)


def _problems(draft: Backfill) -> Iterator[Problem]:
    if draft.schedule is not None and draft.schedule.at is not None:
        hint = "Start it with run now."
        yield Problem("one_off", "schedule", "a one-off has no slots to fill in", hint)
        return
    yield from timing_problems(draft.timing)
    if draft.until < draft.begin:
        yield Problem("ends_before_start", "until", "the end is before the start")
    elif draft.until > database_now():
        hint = "Slots to come are for a schedule."
        yield Problem("in_the_future", "until", "a backfill is about the past", hint)
    if draft.begin.year < 1971:
        yield Problem("invalid_begin", "begin", f"the year {draft.begin.year} is none of ours")


def _numbers(draft: Backfill, limit: int) -> Iterator[Problem]:
    for field, value, most in (
        ("max_slots", limit, MOST_SLOTS),
        ("max_active", draft.max_active, MOST_ACTIVE),
    ):
        if not 1 <= value <= most:
            message = f"{value} cannot be a limit"
            yield Problem("invalid_limit", field, message, f"Write 1 to {most}.")
    if draft.existing not in Backfill.Existing.values:
        known = ", ".join(Backfill.Existing.values)
        yield Problem("unknown_policy", "existing", f"no policy {draft.existing!r}", known)


def _params(draft: Backfill, slot: datetime) -> list[Problem]:
    """As the first slot will have them; the others may differ, and say so when they start."""
    if draft.workflow.current is None:
        raise NotPublished
    schema = draft.workflow.current.plan.params_schema
    try:
        checked_params(schema, resolved(draft.params, Slot(slot, slot, draft.timezone)))
    except ParamsInvalid as error:
        return error.problems
    return []


def _existing(draft: Backfill) -> int:
    if draft.schedule is None:
        return 0
    rows = ScheduleSlot.objects.filter(
        schedule=draft.schedule, slot__range=(draft.begin, draft.until), run_id__isnull=False
    )
    return rows.exclude(origin=ScheduleSlot.Origin.MANUAL).count()


def _refused(code: str, path: str, message: str, hint: str = "") -> BackfillInvalid:
    return BackfillInvalid(problems=[Problem(code, path, message, hint)])
