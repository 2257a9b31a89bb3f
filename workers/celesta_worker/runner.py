"""Answer one message."""

from __future__ import annotations

from typing import Any

from celesta.engine import plans
from celesta_worker import slots
from celesta_worker.carrier import Carrier
from celesta_worker.lane import Lane
from celesta_worker.sigterm import HandBackFirst


def advance(
    request: Any, *, run: str, scope: int | None, node: int | None, hint: int | None, via: str
) -> None:
    """Claim what the message names and work on it; do nothing when there is nothing to claim."""
    carrier = Carrier(request)
    try:
        slot = slots.current()
        # One at first: how long these nodes take is learnt by running one.
        claim = slot.claim(run, scope, node, hint, via[:10], 1)
        if claim.answer == "claimed" and claim.version is not None:
            with HandBackFirst(slot):
                Lane(slot, plans.load(claim.version), run, claim, carrier).work()
    except BaseException:
        # What the slot held is nobody's work now: the keeper must not go on extending its lease.
        slots.abandon()
        raise
    finally:
        carrier.settle()
