"""What the runs of a schedule that have not ended mean for its next slot.

Decided under the lock of the schedule's row, so that two ticks never see the same gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from celesta.engine.cancellation import cancel_run
from celesta.runs.errors import RunAlreadyFinished, RunNotFound
from celesta.triggers.models import Schedule, ScheduleSlot, SlotState

# Slots whose runs have ended since one looked last; what a retention deleted has ended, too.
_SWEEP = """
UPDATE celesta_schedule_slot s SET active = false WHERE s.schedule_id = %s AND s.active
AND NOT EXISTS (SELECT 1 FROM celesta_run r WHERE r.id = s.run_id AND r.finished_at IS NULL)
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a slot; ``note`` is why."""

    state: SlotState
    note: str = ""


START = Verdict(SlotState.STARTED)


def sweep(schedule_id: int) -> None:
    """Forget the runs that have ended; call it under the schedule's lock."""
    with connection.cursor() as cursor:
        cursor.execute(_SWEEP, [schedule_id])


def open_runs(schedule_id: int) -> list[UUID]:
    """The runs of the schedule that had not ended at the last sweep, those run by hand too.

    Backfills keep to a number of their own.
    """
    rows = ScheduleSlot.objects.filter(schedule=schedule_id, active=True)
    return [run for run in rows.order_by("slot").values_list("run_id", flat=True) if run]


def verdict(schedule: Schedule) -> Verdict:
    """What the policy says about a slot that is due now; cancels runs where it says so."""
    if schedule.overlap == Schedule.Overlap.ALLOW:
        return START
    waiting = _waiting(schedule) if schedule.overlap == Schedule.Overlap.QUEUE else 0
    going = open_runs(schedule.pk)
    if not going and not waiting:
        return START
    if schedule.overlap == Schedule.Overlap.SKIP:
        return Verdict(SlotState.SKIPPED, f"overlap: run {going[-1]} had not ended")
    if schedule.overlap == Schedule.Overlap.CANCEL_OTHER:
        for run in going:
            _cancel(run, schedule)
        return START
    if waiting >= schedule.queue_limit:
        return Verdict(SlotState.SKIPPED, f"overlap: {waiting} slots were waiting already")
    return Verdict(SlotState.QUEUED, f"overlap: waits, number {waiting + 1} in line")


def _waiting(schedule: Schedule) -> int:
    return ScheduleSlot.objects.filter(schedule=schedule, state=SlotState.QUEUED).count()


def _cancel(run: UUID, schedule: Schedule) -> None:
    """Committed at once, before the slot's own run: should that fail, the slot is tried again."""
    try:
        cancel_run(run, by="system", reason=f"schedule {schedule.name}: its next slot was due")
    except (RunAlreadyFinished, RunNotFound):
        return
