"""What the message that brought us carries on: the tail of a chain, the body of a chord.

Celery sends a chain's next task and tells a chord's backend after ANY normal return of a task. So
what this task's commits did not release is cleared from its request, and what they did release, but
was gone on with or sent otherwise, too.
"""

from __future__ import annotations

from typing import Any

from celesta.engine import canvas
from celesta.runs.calls import Sent


class Carrier:
    """The canvas part of one request."""

    def __init__(self, request: Any) -> None:
        self.request = request
        self._kept = False

    def leave_to_celery(self, sent: tuple[Sent, ...]) -> tuple[Sent, ...]:
        """Of what was released, what we must publish ourselves; the carried node is Celery's."""
        carried = self._carried()
        if carried is None or canvas.is_closed():
            return sent
        own = tuple(item for item in sent if item.wave is not None or _key(item) != carried)
        self._kept = len(own) < len(sent)
        return own

    def settle(self) -> None:
        """Clear from the request what Celery must not send."""
        if not self._kept:
            self.request.chain = None
            self.request.chord = None

    def _carried(self) -> tuple[int, int] | None:
        """(scope, node) of the chain's next task or of the chord's body."""
        following = self.request.chain[-1] if self.request.chain else self.request.chord
        kwargs = (following or {}).get("kwargs") or {}
        if "node" not in kwargs or "scope" not in kwargs:
            return None
        return kwargs["scope"], kwargs["node"]


def _key(item: Sent) -> tuple[int, int]:
    return item.scope, item.nodes[0]
