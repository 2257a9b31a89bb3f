"""The last step of a node: an outcome whose data are known to be storable, encoded once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from celesta import conf
from celesta.runs.outcomes import (
    Expand,
    Failed,
    Foreign,
    Outcome,
    RetryLater,
    Skipped,
    Succeeded,
    Wait,
)
from celesta_worker.failures import MAX_MESSAGE, clean
from celesta_worker.normalise import Refusal, encode

#: Longest delay and wait, in seconds: what lies beyond overflows PostgreSQL's timestamps.
LONGEST: Final = 3650 * 86400.0
MAX_DETAILS: Final = 64 * 1024
#: The items of a map together may be this many times an ordinary output.
ITEMS_FACTOR: Final = 16


@dataclass(frozen=True, slots=True)
class Finished:
    """What one attempt came to.

    ``encoded`` is JSON text: the output of Succeeded and Wait, the items of Expand, ``{"args": [],
    "kwargs": {}}`` of Foreign; None for the others. What later nodes see is that text decoded.
    """

    outcome: Outcome
    encoded: str | None = None


def finish(outcome: Outcome) -> Finished:
    """Encode what the outcome carries; what cannot be kept becomes a failure that says why."""
    try:
        if type(outcome) is Succeeded:
            return Finished(outcome, encode(outcome.output, conf.get("MAX_OUTPUT_BYTES")))
        return _finish_other(outcome)
    except Refusal as refusal:
        return Finished(
            Failed(
                clean(refusal.message, MAX_MESSAGE),
                code=refusal.code,
                retryable=False,
                details={"path": clean(refusal.path, MAX_MESSAGE)},
            )
        )


def _finish_other(outcome: Outcome) -> Finished:
    limit = conf.get("MAX_OUTPUT_BYTES")
    match outcome:
        case Failed():
            return Finished(_storable(outcome))
        case Skipped():
            return Finished(Skipped(clean(outcome.reason, MAX_MESSAGE)))
        case RetryLater():
            message = clean(outcome.message, MAX_MESSAGE)
            delay = _delay(outcome.delay, "delay")
            return Finished(replace(outcome, delay=delay, message=message))
        case Wait():
            return Finished(_bounded(outcome), encode(outcome.output, limit))
        case Expand():
            return Finished(outcome, encode(outcome.items, limit * ITEMS_FACTOR, name="items"))
        case Foreign():
            sent = {"args": outcome.args, "kwargs": outcome.kwargs}
            return Finished(outcome, encode(sent, limit, name="arguments"))
    raise Refusal(
        "not_an_outcome", "", f"the node type answered {type(outcome).__name__}, not an outcome"
    )


def _storable(outcome: Failed) -> Failed:
    details = outcome.details
    try:
        encode(details, MAX_DETAILS, name="details")
    except Refusal as refusal:
        details = {"details_refused": clean(refusal.message, MAX_MESSAGE)}
    message = clean(outcome.message, MAX_MESSAGE)
    return Failed(message, code=outcome.code, retryable=outcome.retryable, details=details)


def _bounded(outcome: Wait) -> Wait:
    if outcome.until is not None:
        if outcome.until.tzinfo is None:
            raise Refusal("wait_without_zone", "until", "`until` must say its time zone")
        return outcome
    return replace(outcome, seconds=_delay(outcome.seconds, "seconds"))


def _delay(seconds: float | None, name: str) -> float:
    if seconds is None or not math.isfinite(seconds) or seconds > LONGEST:
        raise Refusal(
            "delay_out_of_range", name, f"{name} is {seconds}; give seconds, at most ten years"
        )
    return max(0.0, seconds)
