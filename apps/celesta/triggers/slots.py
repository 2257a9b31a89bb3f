"""What is done with one slot of a schedule, under the lock of the schedule's row."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from celesta.access.principals import SYSTEM
from celesta.engine.start_many import Wanted, start_many
from celesta.runs.errors import DatabaseUnavailable, EngineError, NotPublished
from celesta.triggers import overlap
from celesta.triggers.catch_up import Due
from celesta.triggers.models import Schedule, ScheduleSlot, SlotState
from celesta.triggers.slot_params import Slot, resolved

NOTE_LENGTH = 500


def awake() -> QuerySet[Schedule]:
    """Schedules that may start something: enabled, and neither they nor their workflow paused.

    The cursor of one that is held back stays: when it goes on, the slots in between are missed
    ones, and the catch-up policy decides.
    """
    rows: QuerySet[Schedule] = Schedule.objects.filter(
        enabled=True, paused=False, workflow__paused=False
    )
    return rows


def lock_awake(pk: int) -> Schedule | None:
    """The schedule, locked to the end of the transaction; None while it may start nothing."""
    # The workflow's row, too: whoever pauses it waits for this tick, and later ones see it paused.
    rows = awake().select_for_update(of=("self", "workflow"), no_key=True).filter(pk=pk)
    return rows.select_related("workflow__current").first()


def deal_with(schedule: Schedule, slot: datetime, todo: Due) -> bool:
    """Do with a due slot what the policies say, unless it was done; True when a run was started."""
    if ScheduleSlot.objects.filter(schedule=schedule, slot=slot).exists():
        return False
    told = overlap.verdict(schedule)
    row = ScheduleSlot(schedule=schedule, slot=slot, state=told.state, note=told.note)
    if todo.dropped is not None and slot == todo.slots[0]:
        row.note = f"Earlier slots were missed and not started. {told.note}".strip()
    if told is overlap.START:
        return start(schedule, row)
    row.save()
    return False


def record_missed(schedule: Schedule, todo: Due) -> None:
    """One row for the slots that the catch-up policy lets go, at the first of them."""
    if todo.dropped is None:
        return
    ScheduleSlot.objects.get_or_create(
        schedule=schedule,
        slot=todo.dropped,
        defaults={
            "state": SlotState.MISSED,
            "note": "Missed, like others after it, and not started "
            f"(catch_up: {schedule.catch_up}).",
        },
    )


def start(schedule: Schedule, row: ScheduleSlot, by: str = SYSTEM.name) -> bool:
    """Start the run of a slot and save its row; a refusal is told in both."""
    try:
        row.run_id = run_of(schedule, row, by)
        row.state, row.active, schedule.last_error = SlotState.STARTED, True, ""
    except EngineError as error:
        if isinstance(error, DatabaseUnavailable):
            raise  # nothing was decided: the whole tick is tried again
        schedule.last_error = sentence(error)
        row.state, row.note = SlotState.REFUSED, schedule.last_error[:NOTE_LENGTH]
    row.save()
    return row.run_id is not None


def run_of(schedule: Schedule, row: ScheduleSlot, by: str) -> UUID:
    """Start the run of a slot; raises the EngineError that refuses it."""
    version = schedule.workflow.current
    if version is None:
        raise NotPublished
    manual = row.origin == ScheduleSlot.Origin.MANUAL
    since = schedule.recurrence.before(row.slot)
    params = resolved(schedule.params, Slot(row.slot, since, schedule.timezone))
    wanted = Wanted(params, f"schedule:{schedule.pk}:{row.slot.isoformat()}", row.slot, since)
    with transaction.atomic():  # a refusal undoes this start only
        (run,) = start_many(
            version,
            [wanted],
            by=by,
            trigger="manual" if manual else "schedule",
            trigger_ref=schedule.name,
        )
    if isinstance(run, EngineError):
        raise run
    return run


def sentence(error: EngineError) -> str:
    """A refusal in one line: code, what it says, and each problem with its place."""
    places = "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
    return f"{error.code}: {error.detail} {places}".strip()


def start_waiting(schedule: Schedule) -> int:
    """Start the oldest slot that waits, if no run of the schedule is open; returns how many."""
    waiting = ScheduleSlot.objects.filter(schedule=schedule, state=SlotState.QUEUED)
    if overlap.open_runs(schedule.pk):
        return 0
    for row in waiting.order_by("slot"):
        row.note = ""
        if start(schedule, row):
            return 1
    return 0
