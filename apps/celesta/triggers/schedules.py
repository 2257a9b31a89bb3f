"""Schedules: saved, ticked, and never early, late or twice.

A tick (of celery beat, or of the leader for what beat missed) is a hint. Under a lock of the
schedule's row the due slots are computed from its cursor, and each is written as a unique
(schedule, slot) row in the transaction that starts its run: two beats, a replay or a crash in
between start the run once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from celesta.access.principals import Principal
from celesta.triggers import beat_sync, overlap, slots
from celesta.triggers.catch_up import due
from celesta.triggers.checks import problems_of
from celesta.triggers.cron import CronInvalid, parse
from celesta.triggers.errors import ScheduleGone, ScheduleInvalid, ScheduleNameTaken
from celesta.triggers.models import Schedule, ScheduleSlot, SlotState
from celesta.triggers.recurrence import Recurrence
from celesta.triggers.timing import ZoneUnknown, from_key

#: How long after its slot the leader takes a schedule for missed by beat.
GRACE = timedelta(seconds=10)


def database_now() -> datetime:
    """The database's clock, the only one that counts: those of workers may be wrong."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def save(schedule: Schedule) -> Schedule:
    """Check and save a schedule, new or changed, and beat's table with it.

    Another timing, or being switched on, makes it count from now: nothing before is caught up.
    Raises ScheduleInvalid with every problem, ScheduleNameTaken, and ScheduleGone.
    """
    schedule.cron = normalised(schedule.cron)
    if problems := problems_of(schedule):
        raise ScheduleInvalid(problems=problems)
    try:
        with transaction.atomic():
            _write(schedule)
    except IntegrityError as error:
        if "celesta_schedule_name" in str(error):
            raise ScheduleNameTaken(f"There is a schedule {schedule.name!r} already.") from error
        raise
    return schedule


def delete(schedule: Schedule) -> None:
    """Delete a schedule, and its timing from beat when no other one uses it. Runs stay.

    Raises ScheduleGone when somebody else was faster.
    """
    with transaction.atomic():
        # The row as it is now: a tick may have written slots of it, a change given it another time.
        stored = _locked(schedule)
        stored.delete()
        beat_sync.sync(stored.timing, database_now())


def next_slots(
    rhythm: Recurrence, *, after: datetime | None = None, count: int = 5
) -> list[datetime]:
    """The next slots, in UTC, fewer where it ends; raises CronInvalid or ZoneUnknown."""
    slot = rhythm.after(after or database_now())
    found: list[datetime] = []
    while slot is not None and len(found) < count:
        found.append(slot)
        slot = rhythm.after(slot)
    return found


def tick(
    *, timing: str | None = None, schedule_id: int | None = None, now: datetime | None = None
) -> int:
    """Start what is due, of one timing (``cron:0 9 * * *@UTC``), one schedule, or all.

    Returns how many runs were started. ``now`` is the database's clock unless given.
    """
    rows = slots.awake()
    if timing is not None:
        rows = rows.filter(**from_key(timing))
    if schedule_id is not None:
        rows = rows.filter(pk=schedule_id)
    moment = now or database_now()
    ids = list(rows.filter(next_at__lte=moment).order_by("pk").values_list("pk", flat=True))
    return sum(_tick_one(pk, moment) for pk in ids)


def tick_missed(now: datetime | None = None) -> int:
    """Start what beat should have started :data:`GRACE` ago; returns how many runs that was.

    What beat cannot tick at all is started here when it is due: slots with jitter, and those that
    waited for the end of a run.
    """
    moment = now or database_now()
    late = Q(next_at__lte=moment - GRACE) | Q(next_at__lte=moment, jitter__gt=0)
    rows = slots.awake().filter(late)
    ids = list(rows.order_by("next_at").values_list("pk", flat=True))
    return sum(_tick_one(pk, moment) for pk in ids)


def start_queued() -> int:
    """Start slots whose turn has come, of schedules with the overlap policy ``queue``.

    Only schedules with a slot in line are looked at: a partial index knows them.
    """
    queued = ScheduleSlot.objects.filter(state=SlotState.QUEUED).values("schedule")
    ids = list(slots.awake().filter(pk__in=queued).order_by("pk").values_list("pk", flat=True))
    return sum(_next_in_line(pk) for pk in ids)


def _next_in_line(pk: int) -> int:
    with transaction.atomic():
        schedule = slots.lock_awake(pk)
        if schedule is None:
            return 0
        overlap.sweep(pk)
        started = slots.start_waiting(schedule)
        schedule.save(update_fields=["last_error"])
    return started


def normalised(cron: str) -> str:
    """The expression in its one form: five fields, single spaces; unchanged when it is invalid."""
    try:
        return parse(cron).expression if cron.strip() else ""
    except CronInvalid:
        return cron  # as written: the checks will say what is wrong with it


def _locked(schedule: Schedule) -> Schedule:
    stored: Schedule | None = Schedule.objects.select_for_update().filter(pk=schedule.pk).first()
    if stored is None:
        raise ScheduleGone
    return stored


def _write(schedule: Schedule) -> None:
    now = database_now()
    is_new = schedule._state.adding  # noqa: SLF001 - a documented attribute
    before = None if is_new else _locked(schedule)
    begins = before is None or before.timing != schedule.timing or not before.enabled
    cursor = now if before is None or begins else before.cursor
    schedule.cursor = cursor
    if before is None:
        schedule.save()  # its jitter depends on its id
    else:
        # Since this object was read, a tick may have moved the cursor and somebody may have paused
        # the schedule: the row is what counts.
        schedule.paused, schedule.last_error = before.paused, before.last_error
    following = schedule.recurrence.after(cursor or now) if schedule.enabled else None
    schedule.next_at = schedule.recurrence.start_of(following) if following else None
    schedule.save()
    if not schedule.enabled:
        _let_go_of_the_line(schedule)
    beat_sync.sync(schedule.timing, now)
    if before is not None and before.timing.key != schedule.timing.key:
        beat_sync.sync(before.timing, now)


def _let_go_of_the_line(schedule: Schedule) -> None:
    queued = ScheduleSlot.objects.filter(schedule=schedule, state=SlotState.QUEUED)
    queued.update(state=SlotState.SKIPPED, note="The schedule was switched off while it waited.")


def _tick_one(pk: int, now: datetime) -> int:
    started, more = 0, True
    while more:
        with transaction.atomic():
            found, more = _tick_locked(pk, now)
        started += found
    return started


def _tick_locked(pk: int, now: datetime) -> tuple[int, bool]:
    """Runs started, and whether more is due; the runs and the cursor move together or not."""
    schedule = slots.lock_awake(pk)
    if schedule is None:
        return 0, False
    rhythm = schedule.recurrence
    try:
        cursor = schedule.cursor or now
        todo = due(rhythm, cursor, now, schedule.catch_up, schedule.catch_up_limit)
        following = rhythm.after(todo.cursor)
    except (CronInvalid, ZoneUnknown) as error:  # edited around the checks, or a zone was dropped
        schedule.last_error, schedule.next_at = str(error), None
        schedule.save(update_fields=["last_error", "next_at"])
        return 0, False
    overlap.sweep(pk)
    started = slots.start_waiting(schedule)
    slots.record_missed(schedule, todo)
    started += sum(slots.deal_with(schedule, slot, todo) for slot in todo.slots)
    schedule.cursor = todo.cursor
    schedule.next_at = rhythm.start_of(following) if following else None
    schedule.save(update_fields=["cursor", "next_at", "last_error"])
    if following is None:
        beat_sync.sync(schedule.timing, now)  # its last slot is past: beat need not tick any more
    return started, todo.more


def upcoming(schedule: Schedule, count: int = 5) -> list[datetime]:
    """The next slots of a schedule as it stands; none while nothing would start at them."""
    if not schedule.enabled or schedule.held:
        return []
    return next_slots(schedule.recurrence, count=count)


def set_paused(schedule: Schedule, *, paused: bool) -> Schedule:
    """Hold a schedule back, or let it go on: what it missed is for its catch-up policy to decide.

    When this returns, a tick that was starting runs of it has ended. Raises ScheduleGone.
    """
    with transaction.atomic():
        row = _locked(schedule)
        row.paused = paused
        row.save(update_fields=["paused"])
    schedule.paused = paused
    return schedule


def run_now(schedule: Schedule, *, principal: Principal) -> ScheduleSlot:
    """Start a run of a schedule beside its slots, at once and whatever its policies say.

    Its slot is this moment. It counts as a run of the schedule for the next slots. Raises
    ScheduleGone and what a start may raise, then nothing is recorded.
    """
    with transaction.atomic():
        rows = Schedule.objects.select_for_update(of=("self",), no_key=True)
        locked = rows.select_related("workflow__current").filter(pk=schedule.pk).first()
        if locked is None:
            raise ScheduleGone
        row = ScheduleSlot(
            schedule=locked, slot=database_now(), origin=ScheduleSlot.Origin.MANUAL, active=True
        )
        row.run_id = slots.run_of(locked, row, principal.name)
        row.save()
    return row
