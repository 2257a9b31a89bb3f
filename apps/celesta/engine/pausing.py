"""Hold a run, and let it go on."""

from __future__ import annotations

from uuid import UUID

from celesta.engine import canvas
from celesta.engine.recovery import signature_of
from celesta.runs import connection, transitions
from celesta.runs.errors import RunAlreadyFinished, RunBeingCancelled, RunNotFound
from celesta.runs.models import Run
from celesta.runs.states import RunState, is_terminal


def pause_run(run_id: UUID, *, by: str, reason: str = "") -> Run:
    """Pause a run: what runs goes on to its end, nothing else begins, its deadline stands still.

    A paused run is returned as it is. Raises RunNotFound, RunAlreadyFinished, RunBeingCancelled.
    """
    with connection.borrowed():
        _check(transitions.pause_if_open(run_id, by, reason), "paused")
    return Run.objects.get(pk=run_id)


def resume_run(run_id: UUID, *, by: str) -> Run:
    """Let a paused run go on; everything that waits for a worker is sent at once.

    A run that is not paused is returned as it is. Raises RunNotFound, RunAlreadyFinished,
    RunBeingCancelled.
    """
    with connection.borrowed():
        before, hints = transitions.resume_if_paused(run_id, by)
        _check(before, "resumed")
    canvas.send(signature_of(hint) for hint in hints)
    return Run.objects.get(pk=run_id)


def _check(before: str | None, verb: str) -> None:
    """Refuse what cannot be done to a run that was in this state."""
    if before is None:
        raise RunNotFound
    state = RunState(before)
    if is_terminal(state):
        raise RunAlreadyFinished(f"The run has already {ended(state)}; it cannot be {verb}.")
    if state is RunState.CANCELLING:
        raise RunBeingCancelled


def ended(state: RunState) -> str:
    """As it stands after "has": ``succeeded``, ``failed``, ``been cancelled``."""
    return "been cancelled" if state is RunState.CANCELLED else state.value
