"""What happens by itself: retries, ends of waits, final timeouts, and the deadlines of runs."""

from __future__ import annotations

import time
from functools import partial
from typing import Final
from uuid import UUID

import psycopg

from celesta.engine import plans
from celesta.engine.leader import Lead
from celesta.engine.recovery import sweep
from celesta.runs import transitions, upkeep
from celesta.runs.upkeep import DueTimers

#: Timers read at a time, and runs whose timers are fired in one commit.
BATCH: Final = 500
RUNS: Final = 100


def fire_due(lead: Lead, *, budget: float = 1.0) -> int:
    """Fire what is due, oldest first, for at most ``budget`` seconds; returns how many.

    Firing comes before publishing: ten thousand timers due at once are ready within their second,
    and travel as fast as the broker takes them.
    """
    until, fired = time.monotonic() + budget, 0
    while time.monotonic() < until:
        lead.confirm()
        due = upkeep.due_timers(BATCH, lead.skipped_runs())
        if not due:
            break
        for first in range(0, len(due), RUNS):
            lead.confirm()
            fired += _fire(lead, due[first : first + RUNS])
    return fired


def _fire(lead: Lead, due: list[DueTimers]) -> int:
    try:
        done = transitions.fire_many({item.run: item.timers for item in due})
    except psycopg.OperationalError:
        raise
    except psycopg.Error:  # one of the runs cannot be served: each by itself, to find out which
        for item in due:
            lead.guard(item.run, partial(_fire_one, lead, item))
        return len(due)
    for item in due:
        lead.release(done[item.run][1], item.version)
    return sum(fired for fired, _ in done.values())


def _fire_one(lead: Lead, due: DueTimers) -> None:
    _, sent = transitions.fire(due.run, due.timers)
    lead.release(sent, due.version)


def end_overdue(lead: Lead, *, limit: int = 20) -> int:
    """End runs whose deadline has passed, at most ``limit``; they fail with ``run_timeout``."""
    lead.confirm()
    overdue = upkeep.past_deadline(limit, lead.skipped_runs())
    for run in overdue:
        lead.guard(run, partial(_end, lead, run))
    return len(overdue)


def _end(lead: Lead, run: UUID) -> None:
    loaded = plans.of_run(str(run))
    seconds = f" of {loaded.plan.timeout:g} s" if loaded and loaded.plan.timeout else ""
    message = f"the run did not end within its timeout{seconds}"
    transitions.cancel_if_open(run, "system", {"code": "run_timeout", "message": message})
    sweep(lead, run)
