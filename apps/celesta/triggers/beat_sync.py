"""Celery beat's table, kept in step with ours: one PeriodicTask for each distinct timing.

A tick of beat is only a hint (the due slots are computed from the schedules themselves), so what is
written here may fire too often, never wrongly: where Celery's crontab cannot say what an
expression says, it says something that includes it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from croniter import croniter
from django.db import connection, transaction
from django.db.models import Model
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
)

from celesta.engine.canvas import DEFAULT, queue_name
from celesta.triggers.models import Schedule
from celesta.triggers.timing import EPOCH, Timing, from_key

TASK = "celesta.tick"
#: Seconds after which a tick that no worker took is dropped: the leader has seen to its slot.
EXPIRES = 120
#: Our share of PostgreSQL's advisory locks: one per timing, held to the end of the transaction.
LOCK = 0x63656C


def sync(timing: Timing, now: datetime) -> None:
    """Make beat's row for this timing what our schedules say; call it where they change."""
    with transaction.atomic():
        _lock(timing.key)
        users = _users(timing)
        if users:
            _write(timing, users, now)
        else:
            remove(timing)


def remove(timing: Timing) -> None:
    """Take the timing out of beat, with the entry that carried it when nothing else uses that."""
    # Deleted one by one: beat only notices a change that went through a row's own delete().
    for task in PeriodicTask.objects.filter(name=name_of(timing)):
        entry = task.scheduler
        task.delete()
        if entry is not None and not entry.periodictask_set.exists():
            entry.delete()


def name_of(timing: Timing) -> str:
    """The name of beat's row; the key is in it, so that it is unique."""
    shown = timing.key.partition(":")[2]
    kind = "every " if timing.every is not None else "once at " if timing.at is not None else ""
    return f"celesta: {kind}{shown}"


def _users(timing: Timing) -> list[Schedule]:
    rows = Schedule.objects.filter(**from_key(timing.key)).select_related("workspace", "workflow")
    return [row for row in rows.order_by("name") if row.timing.key == timing.key]


def _write(timing: Timing, users: list[Schedule], now: datetime) -> None:
    enabled = any(user.enabled and user.next_at is not None for user in users)
    values = {
        "task": TASK,
        "kwargs": json.dumps({"timing": timing.key}),
        "queue": queue_name(DEFAULT),
        "expire_seconds": EXPIRES,
        "enabled": enabled,
        "description": "\n".join(["Starts, by Celesta's schedules:", *map(_line, users)]),
        "one_off": timing.at is not None,
        "interval": None,
        "crontab": None,
        "clocked": None,
        **_entry(timing),
    }
    task = PeriodicTask.objects.filter(name=name_of(timing)).first()
    if task is None:
        task = PeriodicTask(name=name_of(timing))
    elif all(getattr(task, field) == value for field, value in values.items()):
        return  # nothing that beat would have to read again
    for field, value in values.items():
        setattr(task, field, value)
    if enabled and task.last_run_at is None:
        # Beat counts an interval from here: its ticks come at the slots, not somewhere between.
        task.last_run_at = _slot_before(timing, now)
    task.save()


def _line(user: Schedule) -> str:
    off = "" if user.enabled else " (off)"
    return f"- {user.name}: {user.workflow.name} in {user.workspace.slug}{off}"


def _slot_before(timing: Timing, now: datetime) -> datetime:
    if timing.every is None:
        return now
    start = EPOCH + timedelta(seconds=timing.phase)
    step = timedelta(seconds=timing.every)
    return (start + (now - start) // step * step).astimezone(UTC)


def _entry(timing: Timing) -> dict[str, Any]:
    if timing.at is not None:
        return {"clocked": _row(ClockedSchedule, {"clocked_time": timing.at})}
    if timing.every is None:
        return {"crontab": _row(CrontabSchedule, _crontab(timing))}
    fields = {"every": timing.every, "period": IntervalSchedule.SECONDS}
    return {"interval": _row(IntervalSchedule, fields)}


def _row(model: type[Model], fields: dict[str, Any]) -> Model:
    """Beat's entry with these fields, which others may use as well; made when there is none."""
    rows = model._default_manager.filter(**fields)
    return rows.first() or model._default_manager.create(**fields)


def _crontab(timing: Timing) -> dict[str, Any]:
    return {**_celery_fields(timing.cron), "timezone": timing.zone}


def _celery_fields(expression: str) -> dict[str, str]:
    """Celery's fields for ticks that include every slot of the expression.

    Celery takes two restricted day fields to mean *both* where cron means *either*, and knows
    neither "last" nor "nearest" days: there it ticks every day.
    """
    expanded, nth = croniter.expand(expression, strict=True)
    minute, hour, day, month, weekday = (_numbers(field) for field in expanded[:5])
    if nth or weekday is None or day is None or (day != "*" and weekday != "*"):
        day = weekday = "*"
    return {
        "minute": minute or "*",
        "hour": hour or "*",
        "day_of_month": day,
        "month_of_year": month or "*",
        "day_of_week": weekday,
    }


def _numbers(values: list[Any]) -> str | None:
    """``1,2,3``, ``*``, or None for what only croniter understands."""
    if values == ["*"]:
        return "*"
    if all(isinstance(value, int) for value in values):
        return ",".join(str(value) for value in values)
    return None


def _lock(key: str) -> None:
    """Two changes of one timing go one after the other: else both might see no row, or one user."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [LOCK, key])
