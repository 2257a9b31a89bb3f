"""Cron expressions in a time zone: which instants they mean, across changes of the clock too.

Five fields: minute, hour, day of month, month, weekday; when both day fields are restricted,
either may match. The fields are read by ``croniter``, on wall-clock times without a zone. What
follows from a clock that is set forward or back is decided here, as in Vixie cron:

- An expression with a *fixed* hour (``30 2 * * *``, ``0 */6 * * *``) means wall-clock times, once
  each. Times that the clock skips happen once, right when it has skipped them; times that it shows
  twice happen the first time.
- An expression for *every* hour (``*/15 * * * *``) means a rhythm: skipped times do not exist,
  times shown twice happen twice.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from croniter import CroniterBadDateError, CroniterError, croniter

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = ("minute", "hour", "day of month", "month", "weekday")
RANGES = ("0 to 59", "0 to 23", "1 to 31, l", "1 to 12, jan to dec", "0 to 7, sun to sat")
#: Hashed and random fields of croniter's: they would mean another time at every reading.
_MOVING = re.compile(r"(?<![a-z])[hr](?![a-z])")
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


class CronInvalid(ValueError):
    """The cron expression is not valid."""


@dataclass(frozen=True, slots=True)
class Cron:
    """A checked expression. ``fixed`` is True unless it matches in every hour of a day."""

    expression: str
    fixed: bool

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """The first slot strictly after ``moment``; aware, in UTC."""
        local = moment.astimezone(zone)
        if not (self.fixed and local.fold):
            return self._walk(moment, zone)
        # Within the second showing of an hour: walk through the first one, whose slots are past.
        slot = self._walk(local.replace(fold=0).astimezone(UTC), zone)
        while slot <= moment:
            slot = self._walk(slot, zone)
        return slot

    def _walk(self, moment: datetime, zone: ZoneInfo) -> datetime:
        start, offset = moment.astimezone(UTC), _offset(moment, zone)
        wall = self._next_wall(_naive(start + offset))
        while (change := _clock_change(start, _utc(wall) - offset, zone)) is not None:
            before, offset = offset, _offset(change, zone)
            skipped_until, repeated_until = change + offset, change + before
            if self.fixed and _utc(wall) < skipped_until:
                return change
            resume = max(skipped_until, repeated_until) if self.fixed else skipped_until
            start, wall = change, self._next_wall(_naive(resume - SECOND))
        return _utc(wall) - offset

    def _next_wall(self, wall: datetime) -> datetime:
        reader = copy(_reader(self.expression))
        reader.set_current(wall, force=True)
        try:
            found: datetime = reader.get_next(datetime)
        except CroniterBadDateError as error:
            raise CronInvalid(f"{self.expression!r} never happens") from error
        return found


@lru_cache(maxsize=1024)
def _reader(expression: str) -> croniter:
    """The expression as it was read once, to be copied: reading takes six times a step's time."""
    return croniter(expression, datetime(2000, 1, 1))  # noqa: DTZ001 - wall-clock time


@lru_cache(maxsize=1024)
def parse(text: str) -> Cron:
    """Check an expression: five fields, or an alias such as ``@daily``; raises CronInvalid."""
    expression = ALIASES.get(text.strip().lower(), " ".join(text.lower().split()))
    count = len(expression.split())
    if count != len(FIELDS):
        raise CronInvalid(
            f"a cron expression has 5 fields ({', '.join(FIELDS)}), this has {count}; "
            "example: '30 9 * * mon-fri' is half past nine on working days"
        )
    if _MOVING.search(expression):
        raise CronInvalid(f"{expression!r} cannot be read: 'h' and 'r' stand for no fixed time")
    try:
        expanded, _ = croniter.expand(expression, strict=True)
    except CroniterError as error:
        reason = _field_at_fault(expression) or _reason(error)
        raise CronInvalid(f"{expression!r} cannot be read: {reason}") from error
    hours = expanded[1]
    return Cron(expression, fixed=hours != ["*"] and len(set(hours)) < 24)


def _field_at_fault(expression: str) -> str:
    """The first field that cannot be read by itself, in words; empty when none is."""
    for index, (name, field) in enumerate(zip(FIELDS, expression.split(), strict=True)):
        alone = ["*"] * len(FIELDS)
        alone[index] = field
        try:
            croniter.expand(" ".join(alone), strict=True)
        except CroniterError:
            return f"{field!r} is no {name} ({RANGES[index]})"
    return ""


def _reason(error: Exception) -> str:
    return str(error).removeprefix("[").partition("] ")[2] or str(error)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _utc(wall: datetime) -> datetime:
    return wall.replace(tzinfo=UTC)


def _clock_change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant in ``(start, end]`` with another offset than ``start`` has."""
    offset, low = _offset(start, zone), start
    while low < end:
        high = min(low + DAY, end)
        if _offset(high, zone) != offset:
            return _bisect(low, high, offset, zone)
        low = high
    return None


def _bisect(low: datetime, high: datetime, offset: timedelta, zone: ZoneInfo) -> datetime:
    """Clocks are set on whole seconds: ``low`` still has the offset, ``high`` has not."""
    low = low.replace(microsecond=0)
    while high - low > SECOND:
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if _offset(middle, zone) == offset:
            low = middle
        else:
            high = middle
    return low + SECOND
