"""End a run before its time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celesta.runs import connection, transitions
from celesta.runs.errors import RunAlreadyFinished, RunNotFound
from celesta.runs.models import Run
from celesta.runs.states import RunState, is_terminal


def cancel_run(run_id: UUID, *, by: str, reason: str = "") -> Run:
    """Cancel a run and everything in it that has not ended. Results that arrive later are refused.

    Cancelling a run that is being cancelled goes on with it. Raises RunNotFound, and
    RunAlreadyFinished for a run that succeeded or failed (a cancelled one is returned as it is).
    """
    message = reason or f"cancelled by {by}"
    return end_early(run_id, by=by, error={"code": "cancelled", "message": message})


def end_early(run_id: UUID, *, by: str, error: dict[str, Any]) -> Run:
    """Stop a run for the given reason; ``run_timeout`` as its code makes it fail."""
    with connection.borrowed():
        before = transitions.cancel_if_open(run_id, by, error)
        if before is None:
            raise RunNotFound
        state = RunState(before)
        if is_terminal(state) and state is not RunState.CANCELLED:
            raise RunAlreadyFinished(f"The run has already {before}; it cannot be cancelled.")
        finish_cancelling(run_id)
    return Run.objects.get(pk=run_id)


def finish_cancelling(run_id: UUID) -> None:
    """Sweep a cancelling run to its end; safe to repeat, also by somebody else after a crash."""
    while not transitions.sweep(run_id):
        pass
