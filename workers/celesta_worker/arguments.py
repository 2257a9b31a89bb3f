"""What the engine's messages may say. Anybody who reaches the broker can write one: all is checked
before the database is asked.
"""

from __future__ import annotations

import logging
from typing import Any, Final
from uuid import UUID

from celesta.engine.canvas import PROTOCOL

logger = logging.getLogger("celesta.intake")

#: One more than the database's integers and big integers hold.
INT: Final = 2**31
BIGINT: Final = 2**63
#: Longer than any name of a timing.
LONGEST: Final = 500


def of_advance(run: Any, scope: Any, node: Any, hint: Any, via: Any, v: Any) -> str | None:
    """What is wrong with a message for a node or a lane; None when nothing is."""
    if v != PROTOCOL or type(v) is not int:
        # Of another release: its hint is in the database, and a worker that knows it will come.
        return f"protocol {v!r:.20} is not {PROTOCOL}"
    if not _is_uuid(run):
        return f"run is {run!r:.50}, no UUID"
    if hint is None and (scope is None or node is None):
        return "it names neither a hint nor a node"
    for name, value, most in (("scope", scope, INT), ("node", node, INT), ("hint", hint, BIGINT)):
        if value is not None and not _is_number(value, most):
            return f"{name} is {value!r:.50}"
    return None if isinstance(via, str) else f"via is {via!r:.50}"


def of_report(run: Any, scope: Any, node: Any, attempt: Any, ok: Any) -> str | None:
    """What is wrong with the answer of another worker's task; None when nothing is."""
    if not _is_uuid(run):
        return f"run is {run!r:.50}, no UUID"
    for name, value in (("scope", scope), ("node", node), ("attempt", attempt)):
        if not _is_number(value, INT):
            return f"{name} is {value!r:.50}"
    return None if isinstance(ok, bool) else f"ok is {ok!r:.50}"


def of_tick(timing: Any) -> str | None:
    """What is wrong with beat's message; None when nothing is."""
    is_name = isinstance(timing, str) and len(timing) <= LONGEST and "\0" not in timing
    return None if is_name else f"timing is {timing!r:.50}"


def are_right(task: Any, problem: str | None) -> bool:
    """False, with a line in the log, when there is a problem; the message then starts nothing."""
    if problem is None:
        return True
    # Celery would go on with these after any normal return.
    task.request.chain = task.request.chord = task.request.callbacks = None
    queue = (task.request.delivery_info or {}).get("routing_key")
    logger.error("a message on queue %r was set aside: %s (task %r)", queue, problem, task.name)
    return False


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _is_number(value: Any, most: int) -> bool:
    return type(value) is int and 0 <= value < most
