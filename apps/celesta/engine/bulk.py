"""One verb for many rows: counted first, then done a bounded piece at a time, each outcome told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet

from celesta.access.principals import Principal
from celesta.engine import dead_letters
from celesta.engine.cancellation import cancel_run
from celesta.engine.pausing import pause_run, resume_run
from celesta.engine.rerun import Mode, rerun_run
from celesta.runs.errors import DatabaseUnavailable, EngineError
from celesta.runs.models import DeadLetter, Run

#: Rows of one call, and the seconds after which a call does no more.
MOST: Final = 200
BUDGET: Final = 10.0
#: Counting ends here: more than this many is told as "more".
COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row: ``code`` is None when it was done, else why it was refused."""

    id: Any
    code: str | None = None
    detail: str = ""
    #: The run that came of it.
    run: Any = None


@dataclass(frozen=True, slots=True)
class Done:
    """What one call did; go on after ``cursor`` until it is None."""

    outcomes: list[Outcome]
    cursor: Any

    @property
    def done(self) -> int:
        """How many were done."""
        return sum(one.code is None for one in self.outcomes)


def count(rows: QuerySet[Any]) -> tuple[int, bool]:
    """How many there are, at most COUNTED, and whether there are more."""
    found = rows.order_by()[: COUNTED + 1].count()
    return min(found, COUNTED), found > COUNTED


def apply(
    rows: QuerySet[Any],
    act: Callable[[Any], Any],
    *,
    after: Any = None,
    limit: int = MOST,
    budget: float = BUDGET,
) -> Done:
    """Do ``act`` to at most ``limit`` rows, newest first, from the one after id ``after`` on.

    Ids grow with time, so what comes meanwhile, a rerun for instance, is not done as well. ``act``
    returns the run that came of it, or None; what it refuses is told and the next one follows.
    ``budget`` is in seconds.
    """
    chosen = rows.filter(pk__lt=after) if after is not None else rows
    page = list(chosen.order_by("-pk")[: limit + 1])
    until, outcomes = time.monotonic() + budget, list[Outcome]()
    for row in page[:limit]:
        if outcomes and time.monotonic() > until:
            break
        outcomes.append(_one(row, act))
    more = len(page) > len(outcomes)
    return Done(outcomes, outcomes[-1].id if more else None)


def _one(row: Any, act: Callable[[Any], Any]) -> Outcome:
    try:
        return Outcome(row.pk, run=act(row))
    except DatabaseUnavailable:
        raise
    except EngineError as error:
        return Outcome(row.pk, error.code, error.detail)


def run_verb(
    verb: str,
    *,
    principal: Principal,
    reason: str = "",
    mode: Mode = Mode.FAILED,
    trigger: str = "api",
) -> Callable[[Run], Any]:
    """What ``apply`` does to each run: ``cancel``, ``pause``, ``resume`` or ``rerun``."""
    by = principal.name

    def act(run: Run) -> Any:
        match verb:
            case "cancel":
                cancel_run(run.pk, by=by, reason=reason)
            case "pause":
                pause_run(run.pk, by=by, reason=reason)
            case "resume":
                resume_run(run.pk, by=by)
            case _:
                return rerun_run(run, principal=principal, mode=mode, trigger=trigger).run.pk
        return None

    return act


def letter_verb(
    verb: str, *, principal: Principal, reason: str = "", trigger: str = "api"
) -> Callable[[DeadLetter], Any]:
    """What ``apply`` does to each dead letter: ``retry`` or ``discard``."""

    def act(letter: DeadLetter) -> Any:
        if verb == "retry":
            return dead_letters.retry(letter, principal=principal, trigger=trigger).run.pk
        dead_letters.discard(letter, by=principal.name, reason=reason)
        return None

    return act
