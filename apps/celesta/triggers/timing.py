"""When a schedule is due: a cron expression in a zone, an interval from an anchor, or once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from celesta.triggers.cron import parse

#: Intervals without an anchor count from here, so that "every 5 minutes" means :00, :05, :10.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ZoneUnknown(ValueError):
    """There is no such time zone."""


@dataclass(frozen=True, slots=True)
class Timing:
    """One of ``cron`` (with ``zone``), ``every`` (seconds, from ``anchor``) and ``at`` (once)."""

    cron: str = ""
    every: int | None = None
    zone: str = "UTC"
    anchor: datetime | None = None
    at: datetime | None = None

    @property
    def key(self) -> str:
        """What schedules with the same slots share; carried by the messages of celery beat."""
        if self.at is not None:
            return f"at:{self.at.astimezone(UTC).isoformat()}"
        if self.every is None:
            return f"cron:{self.cron}@{self.zone}"
        return f"every:{self.every}+{self.phase}" if self.phase else f"every:{self.every}"

    @property
    def phase(self) -> int:
        """Whole seconds by which an interval's slots lie after those counted from the epoch."""
        seconds = ((self.anchor or EPOCH) - EPOCH).total_seconds()
        return int(seconds % (self.every or 1))

    def after(self, moment: datetime) -> datetime | None:
        """The first slot strictly after ``moment``, in UTC; None when a one-off is past.

        Raises :class:`~celesta.triggers.cron.CronInvalid` and :class:`ZoneUnknown`.
        """
        if self.at is not None:
            return self.at.astimezone(UTC) if moment < self.at else None
        if self.every is None:
            return parse(self.cron).after(moment, zone(self.zone))
        start, step = self.anchor or EPOCH, timedelta(seconds=self.every)
        if moment < start:
            return start.astimezone(UTC)
        return (start + ((moment - start) // step + 1) * step).astimezone(UTC)

    def describe(self) -> str:
        """In words: ``30 9 * * 1 (Europe/Berlin)``, ``every 5m``, ``once at ...``."""
        if self.at is not None:
            return f"once at {self.at.astimezone(zone(self.zone)):%Y-%m-%d %H:%M:%S %Z}"
        return f"{self.cron} ({self.zone})" if self.every is None else f"every {_words(self.every)}"


def from_key(key: str) -> dict[str, Any]:
    """Filter for the schedules that a message of beat is about; raises ValueError."""
    kind, _, rest = key.partition(":")
    if kind == "cron" and "@" in rest:
        expression, _, name = rest.rpartition("@")
        return {"cron": expression, "timezone": name}
    if kind == "every":
        return {"every": int(rest.partition("+")[0])}
    if kind == "at":
        return {"at": datetime.fromisoformat(rest)}
    raise ValueError(
        f"{key!r} is not a timing: 'cron:<five fields>@<zone>', 'every:<seconds>' or 'at:<instant>'"
    )


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The zone of that name (``Europe/Berlin``); raises :class:`ZoneUnknown`."""
    if name not in available_timezones():
        raise ZoneUnknown(f"there is no time zone {name!r}; write a name such as 'Europe/Berlin'")
    return ZoneInfo(name)


def _words(seconds: int) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
