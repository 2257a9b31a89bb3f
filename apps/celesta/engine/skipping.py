"""Go on without a node."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from celesta.engine import canvas, plans
from celesta.engine.pausing import ended
from celesta.runs import connection, transitions
from celesta.runs.errors import (
    NodeNotFound,
    NodeNotSkippable,
    RunAlreadyFinished,
    RunBeingCancelled,
    RunNotFound,
)
from celesta.runs.states import RunState, is_terminal

#: Why a node in another state is not skipped, and what to do.
_REFUSED: Final = {
    "running": "is running: wait for its end, or cancel the run",
    "pending": "still waits for other nodes: skip those, or skip it when it is ready",
}


def skip_node(run_id: UUID, scope: int, node: int, *, by: str, reason: str = "") -> None:
    """Skip a node that is ready or waits; what follows is as after any skipped node.

    Raises RunNotFound, RunAlreadyFinished, RunBeingCancelled, NodeNotFound, NodeNotSkippable.
    """
    with connection.borrowed():
        loaded = plans.of_run(str(run_id))
        if loaded is None:
            raise RunNotFound
        if node >= len(loaded.plan.nodes):
            raise NodeNotFound
        name = loaded.plan.nodes[node].name
        if node == loaded.plan.end.index:
            raise NodeNotSkippable("The end of a run makes its output; it cannot be skipped.")
        before, state, sent = transitions.skip_if_waiting(run_id, scope, node, by, reason)
        if before is None:
            raise RunNotFound
        run_state = RunState(before)
        if is_terminal(run_state):
            raise RunAlreadyFinished(
                f"The run has already {ended(run_state)}; its nodes cannot be skipped."
            )
        if run_state is RunState.CANCELLING:
            raise RunBeingCancelled("The run is being cancelled; its nodes cannot be skipped.")
        if state is None:
            raise NodeNotFound
        if state not in ("ready", "waiting"):
            why = _REFUSED.get(state, f"has already ended ({state.replace('_', ' ')})")
            raise NodeNotSkippable(f"Node {name} {why}.")
        canvas.publish(loaded.plan, sent)
