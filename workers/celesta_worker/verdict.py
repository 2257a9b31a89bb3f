"""From what an attempt came to, to what is reported of it: the retry policy applied. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from celesta.graph import retries
from celesta.graph.plan import PlanNode
from celesta.runs.calls import Claimed, Report
from celesta.runs.outcomes import Failed, Foreign, RetryLater, Skipped, Succeeded, Wait
from celesta.runs.states import NodeState
from celesta_worker.finish import Finished


def report_for(
    finished: Finished,
    node: PlanNode,
    claimed: Claimed,
    *,
    began: float,
    ended: float,
    rand: float,
) -> Report:
    """The report of one attempt. ``began`` and ``ended`` are seconds ago, ``rand`` is in [0, 1).

    Only failed attempts count against the retry policy; lost ones do not.
    """
    outcome = finished.outcome
    failures = claimed.attempt - claimed.losses

    def report(state: NodeState, **rest: Any) -> Report:
        where = (claimed.scope, claimed.node, claimed.attempt)
        return Report(*where, state.value, began, ended, **rest)

    match outcome:
        case Succeeded():
            # JSON null is not stored: no row means null.
            output = None if finished.encoded == "null" else finished.encoded
            return report(NodeState.SUCCEEDED, output=output)
        case Skipped():
            return report(NodeState.SKIPPED, error=_error("skipped", outcome.reason))
        case Wait():
            delay = outcome.seconds or 0.0
            return report(
                NodeState.WAITING, output=finished.encoded, kind="finish", delay=max(0.0, delay)
            )
        case Foreign():
            last = not retries.may_retry(failures, node.retry)
            late = f"task {outcome.task!r} did not answer within {outcome.timeout:g} s"
            return report(
                NodeState.WAITING,
                output=_error("foreign_timeout", late) if last else None,
                kind="expire" if last else "retry",
                delay=outcome.timeout,
            )
        case RetryLater():
            if outcome.own_limit or retries.may_retry(failures, node.retry):
                error = _error("retry_later", outcome.message)
                return report(NodeState.WAITING, error=error, kind="retry", delay=outcome.delay)
            return report(NodeState.FAILED, error=_error("retries_exhausted", outcome.message))
        case Failed():
            error = _error(outcome.code, outcome.message, outcome.retryable, outcome.details)
            if outcome.retryable and retries.may_retry(failures, node.retry):
                delay = retries.delay(failures, node.retry, rand)
                return report(NodeState.WAITING, error=error, kind="retry", delay=delay)
            return report(NodeState.FAILED, error=error)
    raise AssertionError(f"{type(outcome).__name__} is reported elsewhere")


def _error(
    code: str, message: str, retryable: bool = False, details: dict[str, Any] | None = None
) -> str:
    error = {"code": code, "message": message, "retryable": retryable, **(details or {})}
    return orjson.dumps(error).decode()
