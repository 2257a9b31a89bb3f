"""What the leader repairs: nodes of dead slots, lost messages, cancellations that stopped half-way.

Each duty takes the lead, confirms it before it writes, and does a bounded piece of work a call.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import Any, Final
from uuid import UUID

from celesta import conf
from celesta.engine import canvas
from celesta.engine.leader import Lead
from celesta.runs import transitions, upkeep
from celesta.runs.calls import LostHint

logger = logging.getLogger("celesta.recovery")

#: Seconds after its end before a lease is acted on. Within them the keeper of a stopped process
#: takes back itself, which knows how many of the held nodes had begun.
COURTESY: Final = 1.0
#: Seconds after which the row of a dead slot is forgotten.
FORGET_AFTER: Final = 3600.0
#: How a message that was sent again says that it travels.
AGAIN: Final = "again"
#: Seconds that one call may sweep one run; the rest is done by the next call.
SWEEP_BUDGET: Final = 0.5


def take_back_expired(lead: Lead, *, limit: int = 100) -> int:
    """Take back what slots hold whose lease has ended; returns how many slots that were."""
    lead.confirm()
    expired = upkeep.expired_slots(COURTESY, limit, lead.skipped_slots())
    for slot, token in expired:
        lead.guard(slot, partial(_take_back, lead, slot, token))
    return len(expired)


def _take_back(lead: Lead, slot: int, token: int) -> None:
    _, sent = transitions.take_back(slot, token)
    lead.release(sent)


def finish_cancelling(lead: Lead, before: set[UUID], *, limit: int = 100) -> set[UUID]:
    """Go on with cancellations that were under way at the last call already (``before``).

    Returns those under way now: whoever began one a moment ago is about to end it.
    """
    lead.confirm()
    found = set(upkeep.cancelling_runs(limit, lead.skipped_runs()))
    for run in sorted(found & before):
        lead.guard(run, partial(sweep, lead, run))
    return found


def sweep(lead: Lead, run: UUID) -> None:
    """Cancel what is open in a cancelling run, as far as half a second goes."""
    until = time.monotonic() + SWEEP_BUDGET
    while not transitions.sweep(run) and time.monotonic() < until:
        lead.confirm()


def resend_lost(lead: Lead, *, limit: int = 500) -> int:
    """Send lost messages again, as plain tasks; returns how many, at most ``limit``."""
    if canvas.is_closed():
        return 0  # they would be lost again, and count as sent
    lead.confirm()
    lost = upkeep.resend_lost_hints(
        lead.holder,
        lead.term,
        after=conf.get("HINT_LOST_AFTER"),
        backstop=conf.get("HINT_BACKSTOP"),
        limit=limit,
    )
    if lost:
        logger.info("sending %d lost messages again", len(lost))
        canvas.send(signature_of(hint) for hint in lost)
    return len(lost)


def signature_of(hint: LostHint) -> Any:
    """The plain task that is sent again."""
    if hint.scope is None or hint.node is None:
        return canvas.lane_signature(hint.run, hint.id, hint.queue, hint.priority, AGAIN)
    return canvas.node_signature(hint.run, hint.scope, hint.node, hint.queue, hint.priority, AGAIN)


def tidy(lead: Lead) -> None:
    """Forget dead slots and clear what ended runs left behind."""
    lead.confirm()
    upkeep.forget_slots(FORGET_AFTER)
    upkeep.clear_leftovers()
