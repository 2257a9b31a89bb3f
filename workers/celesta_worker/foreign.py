"""Celery tasks of other workers: sent by name, their callbacks complete the node."""

from __future__ import annotations

import logging
from typing import Any

from celery import Signature

from celesta.engine import canvas, plans
from celesta.runs import transitions
from celesta.runs.calls import Claimed
from celesta.runs.outcomes import Failed, Foreign, Succeeded
from celesta_worker import monitor
from celesta_worker.finish import finish
from celesta_worker.verdict import report_for

logger = logging.getLogger("celesta.foreign")


def send(run: str, claimed: Claimed, outcome: Foreign) -> bool:
    """Send the task under an id of its own that stays the same over re-sends."""
    where = {"run": run, "scope": claimed.scope, "node": claimed.node, "attempt": claimed.attempt}
    options: dict[str, Any] = {"task_id": f"{run}:{claimed.scope}:{claimed.node}"}
    if outcome.queue:
        options["queue"] = outcome.queue  # Celery's own name, not a document's
    task = Signature(
        outcome.task, args=outcome.args, kwargs=outcome.kwargs, app=canvas.app(), options=options
    )
    task.link(_callback(canvas.REPORT, **where, ok=True))
    task.link_error(_callback(canvas.REPORT, **where, ok=False))
    return canvas.send([task])


def _callback(name: str, **kwargs: Any) -> Signature:
    # The other worker sends it, whose own messages may travel in another form.
    options = {**canvas.destination(canvas.DEFAULT), "serializer": "json"}
    return Signature(name, kwargs=kwargs, app=canvas.app(), options=options)


def report(run: str, scope: int, node: int, attempt: int, result: Any, *, ok: bool) -> bool:
    """Take a foreign task's result, or (not ``ok``) the id of a failed one. True when accepted."""
    loaded = plans.of_run(run)
    if loaded is None or node >= len(loaded.plan.nodes):
        return False
    outcome = Succeeded(result) if ok else _failure(result)
    claimed = Claimed(scope, node, attempt, 0, None)
    told = report_for(
        finish(outcome), loaded.plan.nodes[node], claimed, began=0.0, ended=0.0, rand=0.5
    )
    accepted, sent = transitions.report(
        run,
        scope,
        node,
        attempt,
        told.state,
        output=told.output,
        error=told.error,
        delay=told.delay,
    )
    if accepted:
        monitor.answered(loaded, run, told)
    canvas.publish(loaded.plan, sent)
    return accepted


def _failure(task_id: Any) -> Failed:
    error = _kept_error(str(task_id))
    message = f"Celery task {task_id} failed on its worker"
    if error is not None:
        message = f"{type(error).__name__}: {error}"
    return Failed(message[:2000], code="foreign_task_failed", details={"task_id": str(task_id)})


def _kept_error(task_id: str) -> BaseException | None:
    """The exception of a failed foreign task, where the app keeps results."""
    app = canvas.app()
    if not app.conf.result_backend:
        return None
    try:
        error = app.AsyncResult(task_id).result
    except Exception as problem:  # noqa: BLE001 - the project's backend, any client, any serializer
        # That the task has failed is known all the same; the node must not wait for its timeout.
        logger.warning("the result of task %s cannot be read: %r", task_id, problem)
        return None
    return error if isinstance(error, BaseException) else None
