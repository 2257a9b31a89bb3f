"""Worker events for nodes, so that Flower shows each under its own name, also a continued one.

Sent only while somebody listens to the worker's events; one message for all nodes of a report. A
node run is one row there: its retries update it, as Celery's own do.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import psycopg
from celery import Celery
from kombu import Connection
from kombu.exceptions import KombuError

from celesta.engine import canvas
from celesta.engine.plans import LoadedPlan
from celesta.graph.plan import NONE
from celesta.runs.calls import Claimed, Report
from celesta.runs.connection import one, rows
from celesta_worker.slots import Worker, current

logger = logging.getLogger("celesta.monitor")

#: The maps that the ends of these items have ended; the scope of an item tells its expansion.
ENDED_MAPS = """
SELECT DISTINCT n.scope, n.node, n.state,
       extract(epoch FROM n.started_at)::float8, extract(epoch FROM n.finished_at)::float8
FROM unnest(%s::int[]) AS item(number)
CROSS JOIN LATERAL (
  SELECT e.run_id, e.scope, e.node FROM celesta_expansion e
  WHERE e.run_id = %s::uuid AND e.first_scope <= item.number ORDER BY e.first_scope DESC LIMIT 1) e
JOIN celesta_node_run n USING (run_id, scope, node)
WHERE n.finished_at IS NOT NULL
"""
TIMES = """
SELECT extract(epoch FROM started_at)::float8, extract(epoch FROM finished_at)::float8
FROM celesta_node_run WHERE run_id = %s::uuid AND scope = %s::int AND node = %s::int
"""


class _Teller(threading.local):
    """One dispatcher a thread, never shared over a fork, with a breaker."""

    def __init__(self) -> None:
        self.pid = 0
        self.app: Celery | None = None
        self.connection: Connection | None = None
        self.dispatcher: Any = None
        self.closed_until = 0.0

    def get(self) -> Any:
        app = canvas.app()
        if self.dispatcher is None or self.pid != os.getpid() or self.app is not app:
            self.drop()
            self.pid, self.app = os.getpid(), app
            self.connection = canvas.bounded_connection(app)
            self.dispatcher = app.events.Dispatcher(
                self.connection,
                hostname=Worker.name,
                buffer_while_offline=False,
                buffer_group={"task"},
                buffer_limit=1000,
            )
        return self.dispatcher

    def drop(self) -> None:
        if self.connection is not None and self.pid == os.getpid():
            self.connection.collect()
        self.connection = self.dispatcher = None

    def tell(self, send: Callable[[Any], None]) -> None:
        """Watching is a courtesy: whatever the broker or the database do, the work goes on."""
        if time.monotonic() < self.closed_until:
            return
        try:
            dispatcher = self.get()
            send(dispatcher)
            dispatcher.flush()
        except self._errors() as error:
            logger.warning("listeners were not told of a node: %s", error)
            self.drop()
            self.closed_until = time.monotonic() + canvas.BREAKER

    def _errors(self) -> tuple[type[BaseException], ...]:
        """What may go wrong on the way; each transport has errors of its own."""
        known: tuple[type[BaseException], ...] = (KombuError, OSError, psycopg.Error)
        if self.connection is None:
            return known
        return (*known, *self.connection.connection_errors, *self.connection.channel_errors)


_teller = _Teller()


def finished(loaded: LoadedPlan, run: str, reports: Sequence[Report]) -> None:
    """Tell listeners about nodes that have just been reported."""
    if not reports or not current().worker_page.events:
        return
    items = [r.scope for r in reports if loaded.plan.nodes[r.node].body_of != NONE]

    def send(dispatcher: Any) -> None:
        for report in reports:
            _send(dispatcher, _Told(loaded, run, report.scope, report.node), report)
        for scope, node, state, began, ended in rows(ENDED_MAPS, (items, run)) if items else []:
            told = _Told(loaded, run, scope, node)
            _send_end(dispatcher, told, state, began, ended, None)

    _teller.tell(send)


def expanded(loaded: LoadedPlan, run: str, claimed: Claimed, began: float) -> None:
    """Tell listeners that a map waits for its items; ``began`` is of the monotonic clock."""
    if not current().worker_page.events:
        return
    told = _Told(loaded, run, claimed.scope, claimed.node)
    at = time.time() - (time.monotonic() - began)
    _teller.tell(lambda dispatcher: _send_begin(dispatcher, told, claimed.attempt, at))


def answered(loaded: LoadedPlan, run: str, report: Report) -> None:
    """Tell listeners that the Celery task of another worker has ended its node."""
    if not current().worker_page.events:
        return
    told = _Told(loaded, run, report.scope, report.node)

    def send(dispatcher: Any) -> None:
        began, ended = one(TIMES, (run, report.scope, report.node))
        _send_end(dispatcher, told, report.state, began, ended, report.error)

    if report.state != "waiting":
        _teller.tell(send)


class _Told:
    """How listeners know a node run."""

    def __init__(self, loaded: LoadedPlan, run: str, scope: int, node: int) -> None:
        name = loaded.plan.nodes[node].name
        self.name = f"{loaded.workflow}.{name}"
        # Not the idempotency key: that is the id of the task which the node may have sent.
        self.uuid = f"{run}:{scope}:{name}"
        self.kwargs = f"run={run}" + (f", item scope={scope}" if scope else "")


def _send(dispatcher: Any, told: _Told, report: Report) -> None:
    now = time.time()
    began, ended = now - report.began, now - report.ended
    _send_begin(dispatcher, told, report.attempt, began)
    if report.state != "waiting":
        _send_end(dispatcher, told, report.state, began, ended, report.error)
    elif report.kind == "finish":
        # A wait: it holds no process and can only succeed, when the leader's timer says so.
        _send_end(dispatcher, told, report.state, began, ended, None)
    elif report.error:
        exception = _sentence(report.error)
        dispatcher.send("task-retried", uuid=told.uuid, timestamp=ended, exception=exception)


def _send_begin(dispatcher: Any, told: _Told, attempt: int, began: float) -> None:
    dispatcher.send(
        "task-received", uuid=told.uuid, name=told.name, args="()", kwargs=told.kwargs,
        retries=attempt - 1, timestamp=began,
    )  # fmt: skip
    dispatcher.send("task-started", uuid=told.uuid, timestamp=began)


def _send_end(
    dispatcher: Any, told: _Told, state: str, began: float, ended: float, error: str | None
) -> None:
    fields: dict[str, Any] = {"uuid": told.uuid, "timestamp": ended, "runtime": ended - began}
    if state == "failed":
        dispatcher.send("task-failed", exception=_sentence(error), **fields)
    else:
        dispatcher.send("task-succeeded", result=state, **fields)


def _sentence(error: str | None) -> str:
    """What went wrong, of an error as JSON text; "failed" where the history alone tells more."""
    told = orjson.loads(error) if error else {}
    return f"{told['code']}: {told['message']}"[:500] if told else "failed"
