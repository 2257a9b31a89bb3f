"""Schedules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from celesta.client.parts import Json, Part


class Schedules(Part):
    """``client.schedules``."""

    def list(self, **filters: Any) -> Iterator[Json]:
        """Schedules by name; ``workflow``, ``enabled`` and ``q`` filter."""
        return self._rows("schedules/", filters)

    def get(self, schedule: int) -> Json:
        """One schedule."""
        return self._get(f"schedules/{schedule}/")

    def create(self, name: str, workflow: str, **more: Any) -> Json:
        """A new schedule: ``cron="0 2 * * *", timezone="Europe/Berlin"`` or ``every=3600``."""
        return self._post("schedules/", {"name": name, "workflow": workflow, **more})

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
