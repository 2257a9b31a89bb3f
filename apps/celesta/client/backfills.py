"""Backfills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from celesta.client.parts import Json, Part


class Backfills(Part):
    """``client.backfills``."""

    def list(self, **filters: Any) -> Iterator[Json]:
        """Backfills, newest first; ``schedule`` filters."""
        return self._rows("backfills/", filters)

    def get(self, backfill: int) -> Json:
        """One backfill and how far it is."""
        return self._get(f"backfills/{backfill}/")

    def create(self, begin: str, until: str, **more: Any) -> Json:
        """Start the slots of a range: ``schedule=3``, or ``workflow=...`` with a timing."""
        return self._post("backfills/", {"begin": begin, "until": until, **more})

    def preview(self, begin: str, until: str, **more: Any) -> Json:
        """``{count, existing, first, last}``: what :meth:`create` would start."""
        body = {"begin": begin, "until": until, **more}
        answer = self._transport.call("POST", "backfills/", query={"preview": "true"}, json=body)
        told: Json = answer.json()
        return told

    def slots(self, backfill: int) -> Iterator[Json]:
        """Its slots in the order of the starts, with their runs."""
        return self._rows(f"backfills/{backfill}/slots/", {})

    def verb(self, backfill: int, verb: Literal["pause", "resume", "cancel"]) -> Json:
        """Hold it back, go on with it, or end what is still to start."""
        return self._post(f"backfills/{backfill}/{verb}/")
