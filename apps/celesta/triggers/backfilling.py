"""Backfills set going: the next slots of each, in chunks, never more than ``max_active`` at once.

A chunk is one transaction: its runs, the rows of its slots and the cursor move together or not at
all. So whoever is killed in between, the next leader goes on where the last commit ended, and no
slot is started twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from celesta.engine.start_many import Wanted, start_many
from celesta.runs.errors import DatabaseUnavailable, EngineError, NotPublished, ParamsInvalid
from celesta.triggers.models import Backfill, BackfillSlot, Schedule, ScheduleSlot, SlotState
from celesta.triggers.schedules import database_now
from celesta.triggers.slot_params import Slot, resolved
from celesta.triggers.slots import NOTE_LENGTH, sentence
from celesta.workflows.models import WorkflowVersion

#: Slots in one transaction.
CHUNK = 200

# Runs that have ended since one looked last; what a retention deleted has ended, too.
_SWEEP = """
UPDATE celesta_backfill_slot s SET active = false WHERE s.backfill_id = %s AND s.active
AND NOT EXISTS (SELECT 1 FROM celesta_run r WHERE r.id = s.run_id AND r.finished_at IS NULL)
"""
# Not bulk_update: it builds a CASE of every row in Python, which costs more than the starts do.
_SAVE = """
UPDATE celesta_backfill_slot s
SET state = k.state, active = k.active, run_id = k.run_id, note = k.note
FROM unnest(%s::bigint[], %s::text[], %s::boolean[], %s::uuid[], %s::text[])
  AS k(id, state, active, run_id, note) WHERE s.id = k.id
"""


def _going() -> QuerySet[Backfill]:
    return Backfill.objects.filter(
        state=Backfill.State.RUNNING, workflow__paused=False, workflow__active=True
    )


def any_running() -> bool:
    """True when there is a backfill to go on with."""
    return _going().exists()


def advance_all(budget: float, confirm: Callable[[], object] = lambda: None) -> int:
    """Start slots of all backfills for at most ``budget`` seconds; returns how many runs.

    Each gets a chunk in turn. ``confirm`` is called before each and may raise: then no more is
    started.
    """
    until, started = time.monotonic() + budget, 0
    going = list(_going().order_by("id").values_list("pk", flat=True))
    while going and time.monotonic() < until:
        for pk in list(going):
            confirm()
            count = advance(pk)
            started += count or 0
            if count is None:
                going.remove(pk)
    return started


def advance(pk: int, chunk: int = CHUNK) -> int | None:
    """Start the next slots of one backfill; returns how many runs, None when it can start none now.

    It can start none when it is not running any more, when as many of its runs are open as may be,
    and while somebody else is at it.
    """
    with transaction.atomic():
        rows = Backfill.objects.select_for_update(of=("self",), skip_locked=True)
        backfill = rows.filter(pk=pk, state=Backfill.State.RUNNING).first()
        if backfill is None:
            return None
        free = backfill.max_active - _open_runs(backfill)
        if free <= 0:
            return None
        return _chunk(backfill, min(free, chunk))


def _open_runs(backfill: Backfill) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_SWEEP, [backfill.pk])
    return BackfillSlot.objects.filter(backfill=backfill, active=True).count()


def _chunk(backfill: Backfill, size: int) -> int:
    rows = BackfillSlot.objects.filter(backfill=backfill, number__gte=backfill.cursor)
    batch = list(rows.order_by("number")[:size])
    _start(backfill, batch)
    states = [row.state for row in batch]
    started = states.count(SlotState.STARTED)
    backfill.started += started
    backfill.skipped += states.count(SlotState.SKIPPED)
    backfill.refused += states.count(SlotState.REFUSED)
    backfill.cursor += len(batch)
    if backfill.cursor >= backfill.total:
        backfill.state, backfill.ended_at = Backfill.State.FINISHED, database_now()
    backfill.save()
    _save(batch)
    return started


def _save(batch: list[BackfillSlot]) -> None:
    if not batch:
        return
    with connection.cursor() as cursor:
        columns = zip(*((r.pk, r.state, r.active, r.run_id, r.note) for r in batch), strict=True)
        cursor.execute(_SAVE, [list(column) for column in columns])


def _start(backfill: Backfill, batch: list[BackfillSlot]) -> None:
    """Fill in what became of each slot."""
    existing = _existing(backfill, batch)
    wanted = batch
    if backfill.existing == Backfill.Existing.SKIP:
        wanted = [row for row in batch if row.slot not in existing]
        for row in batch:
            if row.slot in existing:
                row.state, row.run_id = SlotState.SKIPPED, existing[row.slot]
                row.note = "It had this run already."
    try:
        with transaction.atomic():
            _runs(backfill, wanted)
    except EngineError as error:
        if isinstance(error, DatabaseUnavailable):
            raise
        for row in wanted:
            _refuse(backfill, row, error)
    if backfill.schedule_id is not None:
        _tell_schedule(backfill.schedule_id, [row for row in wanted if row.slot not in existing])


def _existing(backfill: Backfill, batch: list[BackfillSlot]) -> dict[object, UUID | None]:
    """The runs that slots of the schedule have; its row is locked: no tick comes in between."""
    if backfill.schedule_id is None:
        return {}
    Schedule.objects.select_for_update(no_key=True).filter(pk=backfill.schedule_id).first()
    rows = ScheduleSlot.objects.filter(
        schedule=backfill.schedule_id, slot__in=[row.slot for row in batch], run_id__isnull=False
    )
    return dict(rows.values_list("slot", "run_id"))


def _runs(backfill: Backfill, rows: list[BackfillSlot]) -> None:
    version = _version(backfill)
    ready: list[tuple[BackfillSlot, Wanted]] = []
    for row in rows:
        try:
            slot = Slot(row.slot, row.since, backfill.timezone)
            params = resolved(backfill.params, slot)
        except ParamsInvalid as error:
            _refuse(backfill, row, error)
            continue
        key = f"backfill:{backfill.pk}:{row.slot.isoformat()}"
        ready.append((row, Wanted(params, key, row.slot, row.since)))
    if not ready:
        return
    found = start_many(
        version,
        [wanted for _, wanted in ready],
        by=backfill.created_by,
        trigger="backfill",
        trigger_ref=str(backfill.pk),
    )
    for (row, _), run in zip(ready, found, strict=True):
        if isinstance(run, ParamsInvalid):
            _refuse(backfill, row, run)
        else:
            row.run_id, row.state, row.active = run, SlotState.STARTED, True


def _version(backfill: Backfill) -> WorkflowVersion:
    version = backfill.workflow.current
    if version is None:
        raise NotPublished
    return version


def _refuse(backfill: Backfill, row: BackfillSlot, error: EngineError) -> None:
    backfill.last_error = sentence(error)
    row.state, row.run_id, row.active = SlotState.REFUSED, None, False
    row.note = backfill.last_error[:NOTE_LENGTH]


def _tell_schedule(schedule_id: int, rows: list[BackfillSlot]) -> None:
    """The schedule's own slots: what was missed, skipped or refused now has a run."""
    ScheduleSlot.objects.bulk_create(
        [
            ScheduleSlot(
                schedule_id=schedule_id,
                slot=row.slot,
                run_id=row.run_id,
                state=SlotState.STARTED,
                origin=ScheduleSlot.Origin.BACKFILL,
            )
            for row in rows
            if row.run_id is not None
        ],
        update_conflicts=True,
        unique_fields=["schedule", "slot"],
        update_fields=["run_id", "state", "origin"],
        batch_size=500,
    )
