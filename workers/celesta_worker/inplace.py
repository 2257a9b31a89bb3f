"""Running a registered Celery task inside the current one, through Celery's own tracer.

The tracer is what a Celery worker itself calls, so ``bind``, ``self.request``, ``autoretry_for``,
``on_failure``, the task signals and custom task classes work as they do there. Three things differ,
because a message would be published where a node's outcome is wanted:

- ``retry`` answers :class:`RetryLater`, with the countdown the task asked for;
- ``replace`` runs the replacement in the same place (a plain signature only);
- the result goes to the node's output; the task's own result backend is not written to.

Both halves rest on ``request.is_eager``, which makes ``Task.retry`` raise instead of publish, and
keeps Celery's Django fixup from closing the database connections around every task.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

from celery import Celery, Task, states
from celery.app.trace import TraceInfo, build_tracer
from celery.canvas import Signature, _chain, chord, group
from celery.exceptions import Ignore, MaxRetriesExceededError, Reject, Retry
from celery.utils.nodenames import gethostname
from celery.utils.time import maybe_make_aware
from kombu.utils.uuid import uuid

from celesta.runs.outcomes import Failed, Foreign, Outcome, RetryLater, Skipped, Succeeded
from celesta_worker.context import NodeContext
from celesta_worker.failures import failed

#: Where a request says that it runs in place, and the tracer's caller finds what happened.
_MARK: Final = "celesta_in_place"
#: Seconds before a task that was rejected with ``requeue=True`` comes again.
REQUEUE_DELAY: Final = 1.0
#: A task may be replaced, and its replacement again, this often.
MAX_REPLACEMENTS: Final = 10
#: Options of a replacing signature that only a message can carry out.
_NEED_A_MESSAGE: Final = ("link", "link_error", "chord", "countdown", "eta")

_tracers: WeakKeyDictionary[Task[..., Any], Callable[..., Any]] = WeakKeyDictionary()


@dataclass(slots=True)
class _InPlace:
    """What a task did on the side."""

    #: Set by ``self.retry(throw=False)``, after which the task returns as if nothing had been.
    retry: Retry | None = None


class _Replaced(Ignore):
    """The task asked for another one in its place. An Ignore, like what Celery raises then."""

    def __init__(self, signature: Signature[Any]) -> None:
        super().__init__("replaced by another task")
        self.signature = signature


class _NothingStored(TraceInfo):
    """Handlers and signals of a failure or retry as ever, but nothing for the result backend."""

    def handle_error_state(
        self,
        task: Task[..., Any],
        req: Any,
        eager: bool = False,
        call_errbacks: bool = True,
    ) -> Any:
        handle = self.handle_retry if self.state == states.RETRY else self.handle_failure
        return handle(task, req, store_errors=False, call_errbacks=False)


def run_in_place(
    app: Celery, sent: Foreign, args: list[Any], kwargs: dict[str, Any], context: NodeContext
) -> Outcome:
    """Run the task that ``sent`` names. It must be registered in ``app``.

    ``sent`` is also the answer when the task replaces itself by one of another worker.
    """
    name = sent.task
    for _ in range(MAX_REPLACEMENTS):
        task = app.tasks[name]
        wrong = _wrong_arguments(task, args, kwargs)
        if wrong:
            return wrong
        marks, traced = _trace(app, task, args, kwargs, context)
        replacing = traced.info.retval if traced.info else None
        if not isinstance(replacing, _Replaced):
            return _outcome(app, task, args, kwargs, traced, marks)
        signature = replacing.signature
        refused = _refused(task, signature)
        if refused:
            return refused
        name, args, kwargs = str(signature.task), list(signature.args), dict(signature.kwargs)
        if name not in app.tasks:
            queue = signature.options.get("queue")
            return replace(sent, task=name, args=tuple(args), kwargs=kwargs, queue=queue)
    return _final("replaced_too_often", f"{sent.task} was replaced {MAX_REPLACEMENTS} times")


def _trace(
    app: Celery,
    task: Task[..., Any],
    args: list[Any],
    kwargs: dict[str, Any],
    context: NodeContext,
) -> tuple[_InPlace, Any]:
    marks = _InPlace()
    task_id = context.idempotency_key or uuid()
    request = {
        "id": task_id,
        "task": task.name,
        "root_id": task_id,
        "retries": context.attempt - context.losses - 1,  # a redelivery does not count there
        "is_eager": True,
        "ignore_result": True,
        "hostname": gethostname(),
        "headers": {},
        "delivery_info": {
            "is_eager": True,
            "exchange": None,
            "routing_key": None,
            "priority": None,
        },
        _MARK: marks,
    }
    return marks, _tracer(app, task)(task_id, args, kwargs, request)


def _tracer(app: Celery, task: Task[..., Any]) -> Callable[..., Any]:
    tracer = _tracers.get(task)
    if tracer is None:
        _adopt(task)
        tracer = build_tracer(task.name, task, app=app, Info=_NothingStored)
        _tracers[task] = tracer
    return tracer


def _adopt(task: Task[..., Any]) -> None:
    """Let this task object notice that it runs in place. Anywhere else it stays what it was."""
    replace_by_message, retry_by_message = task.on_replace, task.retry

    def on_replace(signature: Signature[Any]) -> Any:
        if task.request.get(_MARK) is None:
            return replace_by_message(signature)
        raise _Replaced(signature)

    def retry(*args: Any, **options: Any) -> Any:
        answer = retry_by_message(*args, **options)  # raises, unless it was told throw=False
        marks = task.request.get(_MARK)
        if marks is not None:
            marks.retry = answer
        return answer

    vars(task).update(on_replace=on_replace, retry=retry)


def _outcome(
    app: Celery,
    task: Task[..., Any],
    args: list[Any],
    kwargs: dict[str, Any],
    traced: Any,
    marks: _InPlace,
) -> Outcome:
    answer = traced.info.retval if traced.info else marks.retry
    match answer:
        case None:
            return Succeeded(traced.retval)
        case Retry():
            return _retry(app, task, args, kwargs, answer)
        case Ignore():
            return Skipped(f"the task raised Ignore: {answer}" if answer.args else "task ignored")
        case Reject() if answer.requeue:  # type: ignore[attr-defined]
            message = f"the task asked to be requeued: {answer}"
            return RetryLater(REQUEUE_DELAY, message, own_limit=True)
        case Reject():
            return _final("task_rejected", f"the task rejected itself: {answer}")
        case MaxRetriesExceededError():
            return failed(answer, code="max_retries_exceeded", retryable=False)
    return failed(answer)


def _retry(
    app: Celery, task: Task[..., Any], args: list[Any], kwargs: dict[str, Any], answer: Retry
) -> Outcome:
    again = answer.sig  # type: ignore[attr-defined]
    if again is not None and (list(again.args) != args or dict(again.kwargs) != kwargs):
        # The next attempt is made from the workflow's own config: it would lose them silently.
        return _final(
            "retry_changes_arguments",
            f"{task.name} retries with other arguments, which a node cannot; keep them in the "
            "task's own store, or set in_place: never",
        )
    # Celery has counted already: past max_retries it raises something else.
    return RetryLater(_delay(app, task, answer.when), str(answer), own_limit=True)


def _delay(app: Celery, task: Task[..., Any], when: Any) -> float:
    """Seconds until ``when``: a number of seconds, a moment, or None for the task's default."""
    if isinstance(when, datetime):
        return max(0.0, (maybe_make_aware(when, app.timezone) - datetime.now(UTC)).total_seconds())
    return float(task.default_retry_delay if when is None else when)


def _wrong_arguments(
    task: Task[..., Any], args: list[Any], kwargs: dict[str, Any]
) -> Failed | None:
    """What ``apply_async`` checks before it sends a message."""
    header = getattr(task, "__header__", None)
    if not task.typing or header is None:
        return None
    try:
        header(*args, **kwargs)
    except TypeError as error:
        return _final("invalid_args", f"the arguments do not fit {task.name}: {error}")
    return None


def _refused(task: Task[..., Any], signature: Signature[Any]) -> Failed | None:
    odd = [name for name in _NEED_A_MESSAGE if signature.options.get(name)]
    if not odd and not isinstance(signature, _chain | chord | group):
        return None
    what = f"a signature with {', '.join(odd)}" if odd else "a canvas"
    return _final(
        "replaced_by_canvas",
        f"{task.name} replaced itself by {what}, which cannot run in place; set in_place: never, "
        "or make the parts nodes of the workflow",
    )


def _final(code: str, message: str) -> Failed:
    return Failed(message, code=code, retryable=False)
