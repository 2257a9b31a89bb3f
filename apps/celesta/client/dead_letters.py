"""Dead letters: what failed a run, until somebody decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celesta.client.parts import Json, Part


class DeadLetters(Part):
    """``client.dead_letters``."""

    def list(self, **filters: Any) -> Iterator[Json]:
        """Newest first; ``state``, ``workflow``, ``code``, ``fingerprint``, ``since`` filter."""
        return self._rows("dead-letters/", filters)

    def retry(self, letter: int) -> Json:
        """The new run, which begins at the node that failed."""
        return self._post(f"dead-letters/{letter}/retry/")

    def discard(self, letter: int, reason: str = "") -> Json:
        """Let it rest."""
        return self._post(f"dead-letters/{letter}/discard/", {"reason": reason})

    def many(self, verb: str, where: Json, reason: str = "") -> Iterator[Json]:
        """``retry`` or ``discard`` all open ones that match, outcome by outcome.

        ``where`` is the API's filter: ``{"workflow": "orders.fulfil", "code": "payment_down"}``.
        """
        return self._many("dead-letters/bulk/", verb, where, reason=reason)

    def count(self, where: Json) -> Json:
        """``{count, more}``: how many open ones match."""
        body = {"verb": "retry", "filter": where, "dry_run": True}
        return self._post("dead-letters/bulk/", body)
