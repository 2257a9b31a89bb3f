"""The law: the states of runs and node runs, and the only moves between them."""

from __future__ import annotations

from enum import StrEnum


class RunState(StrEnum):
    """Where a run is."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class NodeState(StrEnum):
    """Where a node run is. ``waiting`` never holds a worker slot."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"


R, N = RunState, NodeState

RUN_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    R.PENDING: frozenset({R.RUNNING, R.PAUSED, R.CANCELLING, R.SUCCEEDED, R.FAILED}),
    R.RUNNING: frozenset({R.PAUSED, R.CANCELLING, R.SUCCEEDED, R.FAILED}),
    R.PAUSED: frozenset({R.PENDING, R.RUNNING, R.CANCELLING, R.SUCCEEDED, R.FAILED}),
    R.CANCELLING: frozenset({R.CANCELLED, R.FAILED}),
    R.SUCCEEDED: frozenset(),
    R.FAILED: frozenset(),
    R.CANCELLED: frozenset(),
}

NODE_TRANSITIONS: dict[NodeState, frozenset[NodeState]] = {
    N.PENDING: frozenset(
        {N.READY, N.RUNNING, N.SKIPPED, N.UPSTREAM_FAILED, N.SUCCEEDED, N.CANCELLED}
    ),
    N.READY: frozenset({N.RUNNING, N.SKIPPED, N.CANCELLED}),
    N.RUNNING: frozenset({N.SUCCEEDED, N.FAILED, N.SKIPPED, N.WAITING, N.READY, N.CANCELLED}),
    N.WAITING: frozenset({N.READY, N.SUCCEEDED, N.FAILED, N.SKIPPED, N.CANCELLED}),
    N.SUCCEEDED: frozenset(),
    N.FAILED: frozenset(),
    N.SKIPPED: frozenset(),
    N.UPSTREAM_FAILED: frozenset(),
    N.CANCELLED: frozenset(),
}

TERMINAL_RUN = frozenset(state for state, after in RUN_TRANSITIONS.items() if not after)
TERMINAL_NODE = frozenset(state for state, after in NODE_TRANSITIONS.items() if not after)
#: Nodes count as failed for a gate in these states.
FAILURES = frozenset({N.FAILED, N.UPSTREAM_FAILED, N.CANCELLED})


def is_terminal(state: RunState | NodeState) -> bool:
    """True when nothing can follow."""
    return state in TERMINAL_RUN or state in TERMINAL_NODE


def may_move(before: RunState | NodeState, after: RunState | NodeState) -> bool:
    """True when the law has that move."""
    if isinstance(before, RunState) and isinstance(after, RunState):
        return after in RUN_TRANSITIONS[before]
    if isinstance(before, NodeState) and isinstance(after, NodeState):
        return after in NODE_TRANSITIONS[before]
    return False
