"""Schedules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from celesta.client.parts import Json, Part

#: One of these says when a schedule is due.
TIMINGS: Final = frozenset({"cron", "every", "at"})
#: What callers write of a schedule; the rest moves by itself.
WRITTEN: Final = (
    *("name", "workflow", "params", "cron", "every", "at", "timezone", "anchor", "starts_at"),
    *("ends_at", "jitter", "overlap", "queue_limit", "catch_up", "catch_up_limit", "enabled"),
)


class Schedules(Part):
    """``client.schedules``."""

    def list(self, **filters: Any) -> Iterator[Json]:
        """Schedules by name; ``workflow``, ``enabled`` and ``q`` filter."""
        return self._rows("schedules/", filters)

    def get(self, schedule: int) -> Json:
        """One schedule; its ``etag`` is for ``update``."""
        return self._get_tagged(f"schedules/{schedule}/")

    def create(self, name: str, workflow: str, **more: Any) -> Json:
        """A new schedule: ``cron="0 2 * * *", timezone="Europe/Berlin"`` or ``every=3600``."""
        return self._post("schedules/", {"name": name, "workflow": workflow, **more})

    def update(self, schedule: int, *, if_match: str = "", **changes: Any) -> Json:
        """Change some fields of a schedule, such as ``cron`` or ``params``; the rest stays.

        Another timing takes the place of the one there is. Raises Conflict when somebody changed
        the schedule after ``if_match`` was read, or while this was under way.
        """
        kept = self.get(schedule)
        if TIMINGS & changes.keys():
            changes = {"cron": "", "every": None, "at": None, **changes}
        body = {name: kept[name] for name in WRITTEN} | changes
        return self._put_tagged(f"schedules/{schedule}/", body, if_match or kept["etag"])

    def delete(self, schedule: int) -> None:
        """Delete a schedule; the runs it started stay."""
        self._transport.call("DELETE", f"schedules/{schedule}/")

    def verb(self, schedule: int, verb: Literal["pause", "resume", "run"]) -> Json:
        """Hold it, let it go on, or start a run of it now."""
        return self._post(f"schedules/{schedule}/{verb}/")

    def next(self, schedule: int, count: int = 5) -> Sequence[str]:
        """The instants at which it is due next."""
        slots: Sequence[str] = self._get(f"schedules/{schedule}/next/", count=count)["slots"]
        return slots
