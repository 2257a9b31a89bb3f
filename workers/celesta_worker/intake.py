"""What stands between the broker and Celery's consumer: no message may end the worker.

Celery sets most malformed messages aside itself. On some it dies, or (with Redis, where a KeyError
counts as a lost connection) reconnects, gets the same message again, and so for ever: a body of the
wrong shape, a message without an id, a time limit that is no number. Here these are dropped with
one line in the log. The project's own messages are looked at only after Celery has failed on them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from itertools import chain
from typing import Any, Final

from celery import bootsteps
from celery.worker import state

logger = logging.getLogger("celesta.intake")

Handler = Callable[[Any], Any]

#: Tasks whose messages are checked before Celery sees them.
OURS: Final = "celesta."
JSON: Final = "application/json"
#: What Celery raises on data of another shape than it expects; nothing that a broker may cause.
#: (Redis counts some of these among its connection errors: inside the handler they are not.)
SHAPE_ERRORS: Final = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


class Intake(bootsteps.Step):
    """Wraps the consumer's handlers; they are made anew at each connection."""

    label = "Celesta intake"

    def create(self, consumer: Any) -> None:
        """Before the first connection."""
        make = consumer.create_task_handler
        decode_error = consumer.on_decode_error

        @wraps(make)
        def create_task_handler(*args: Any, **kwargs: Any) -> Handler:
            return guarded(make(*args, **kwargs), consumer)

        @wraps(decode_error)
        def on_decode_error(message: Any, exc: Exception) -> None:
            try:
                decode_error(message, exc)
            except SHAPE_ERRORS:
                set_aside(message, consumer, exc)

        consumer.create_task_handler = create_task_handler
        consumer.on_decode_error = on_decode_error


def guarded(handle: Handler, consumer: Any) -> Handler:
    """Celery's handler of messages, which no message can make fail."""

    def on_task_received(message: Any) -> Any:
        problem = malformed(message)
        if problem:
            return set_aside(message, consumer, problem)
        try:
            return handle(message)
        except SHAPE_ERRORS as error:
            if any(request.message is message for request in state.reserved_requests):
                raise  # it was a task by then: the trouble is the pool's, not the message's
            return set_aside(message, consumer, error)

    return on_task_received


def malformed(message: Any) -> str | Exception | None:
    """Why Celery would die of a message, or why one for the engine means nothing."""
    headers = message.headers
    if not isinstance(headers, dict):
        return "its headers are no mapping"
    if not _are_limits(headers.get("timelimit")):
        return "its time limits are no numbers"  # read when the task is already on its way
    task = headers.get("task")
    if not (isinstance(task, str) and task.startswith(OURS)):
        return None
    if message.content_type != JSON:  # also where the project accepts more: nothing is unpickled
        return "it is not JSON"
    try:
        body = message.payload
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises, the message is no use
        return error
    match body:
        case [list(), dict(), None]:
            return None
        case [list(), dict(), dict(embed)]:
            return None if _is_embed(embed) else "its callbacks, chain or chord are no signatures"
    return "its body is not [args, kwargs, embed]"


def _is_embed(embed: dict[str, Any]) -> bool:
    chord = embed.get("chord")
    lists = [embed.get(name) or [] for name in ("callbacks", "errbacks", "chain")]
    are_lists = all(isinstance(found, list) for found in lists)
    signatures = [*chain.from_iterable(lists if are_lists else ()), *([chord] if chord else [])]
    return are_lists and all(isinstance(found, dict) for found in signatures)


def _are_limits(limits: Any) -> bool:
    if not limits:
        return True
    return (
        isinstance(limits, (list, tuple))
        and len(limits) == 2
        and all(limit is None or type(limit) in (int, float) for limit in limits)
    )


def set_aside(message: Any, consumer: Any, reason: object) -> None:
    """Drop a message for good; a broker with a dead-letter queue keeps it there."""
    info = getattr(message, "delivery_info", None) or {}
    headers = getattr(message, "headers", None)
    task = headers.get("task") if isinstance(headers, dict) else None
    told = f"{type(reason).__name__}: {reason}" if isinstance(reason, Exception) else reason
    logger.error(
        "a message on queue %r was set aside: %.300s (task %.100r, content type %.60r)",
        info.get("routing_key"),
        str(told).replace("\n", " "),
        task,
        getattr(message, "content_type", None),
    )
    if not message.acknowledged:
        message.reject_log_error(logger, consumer.connection_errors)
