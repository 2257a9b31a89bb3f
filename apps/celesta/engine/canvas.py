"""Lower what was released into Celery canvas, and publish it.

What becomes ready at once is a wave. Of each wave, a node whose only successor lives on another
queue travels as a ``chain`` with that successor; branches that meet again in a node of another
queue travel as the header of a ``chord`` whose body is that node; other branches are a ``group``.
There is never more than this one step of lookahead, so a message does not grow with the DAG. A join
on the branches' own queue needs no message: whoever completes it goes on with it (see the design,
section 1).

Publishing is a hint: it is bounded in time, and what is not sent is sent again by the leader.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from celery import Celery, Signature, current_app, group
from celery.exceptions import QueueNotFound
from kombu import Connection, Producer
from kombu.exceptions import KombuError
from kombu.exceptions import OperationalError as BrokerError

from celesta import conf
from celesta.engine.backend import DurableChord
from celesta.graph.plan import NONE, Plan
from celesta.runs.calls import Sent

logger = logging.getLogger("celesta.canvas")

ADVANCE = "celesta.advance"
REPORT = "celesta.report"
#: A document's name for the queue that the project's own tasks travel by unless they say another.
DEFAULT = "default"
#: Written into every message; workers ignore what they do not know.
PROTOCOL = 1
#: After a failed publish, seconds in which this thread leaves publishing to the leader.
BREAKER = 2.0
#: Messages that travel to the broker together when many runs are started at once.
BATCH = 100

_installed: list[Celery] = []


def use(app: Celery) -> None:
    """Publish through this app from now on (``celesta.install`` says so)."""
    _installed[:] = [app]


def is_installed() -> bool:
    """True when ``celesta.install(app)`` was called in this process."""
    return bool(_installed)


def app() -> Celery:
    """The app on which Celesta was installed, else Celery's current one."""
    return _installed[0] if _installed else current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - of a proxy


def queue_name(queue: str) -> str:
    """The broker's name of a document's queue."""
    prefix: str = conf.get("QUEUE_PREFIX")
    if queue != DEFAULT:
        return prefix + queue
    named: str = conf.get("DEFAULT_QUEUE")
    return named or (prefix + queue if prefix else str(app().conf.task_default_queue))


def document_queues(name: str) -> list[str]:
    """The names under which documents know a queue of the broker: none, one, or two."""
    known = (DEFAULT, name.removeprefix(conf.get("QUEUE_PREFIX")))
    return sorted({queue for queue in known if queue_name(queue) == name})


def node_signature(
    run: str, scope: int, node: int, queue: str, priority: int, via: str
) -> Signature:
    """The message for one node."""
    return _signature(queue, priority, run=run, scope=scope, node=node, via=via)


def lane_signature(run: str, hint: int, queue: str, priority: int, via: str) -> Signature:
    """The message for one lane of a wave."""
    return _signature(queue, priority, run=run, hint=hint, via=via)


def _signature(queue: str, priority: int, **kwargs: Any) -> Signature:
    return Signature(
        ADVANCE,
        kwargs={**kwargs, "v": PROTOCOL},
        immutable=True,
        app=app(),
        options={**destination(queue), "priority": priority},
    )


def destination(queue: str) -> dict[str, str]:
    """Options that send to a document's queue and nowhere else.

    The broker's nameless exchange delivers to a queue by its name. A catch-all entry of the
    project's ``task_routes`` would otherwise put its own exchange and routing key in.
    """
    name = queue_name(queue)
    return {"queue": name, "exchange": "", "routing_key": name}


@dataclass(frozen=True, slots=True)
class Join:
    """A node all of whose upstreams travel in one wave."""

    node: int
    members: frozenset[int]


def lower(plan: Plan, sent: Sequence[Sent]) -> list[Signature]:
    """The canvas for a wave: any mix of plain tasks, chains, chords and groups."""
    canvases: list[Signature] = []
    left = list(sent)
    for join in _joins(plan, sent):
        header = [item for item in left if not join.members.isdisjoint(item.nodes)]
        left = [item for item in left if item not in header]
        canvases.append(_chord(plan, join, header))
    links = [(item, _only_successor(plan, item)) for item in left]
    canvases += [_chain(plan, item, after) for item, after in links if after is not None]
    branches = [sig for item, after in links if after is None for sig in _tasks(item, "group")]
    if len(branches) == 1:
        branches[0].kwargs["via"] = "task"
        canvases += branches
    elif branches:
        canvases.append(group(branches, app=app()))
    return canvases


def _joins(plan: Plan, sent: Sequence[Sent]) -> list[Join]:
    """Joins on another queue whose upstreams are all in this wave; no node is in two of them."""
    queues = {node: item.queue for item in sent if item.scope == 0 for node in item.nodes}
    found: list[Join] = []
    taken: set[int] = set()
    for gate in _gates_after(plan, queues):
        members = frozenset(gate.upstreams)
        if len(gate.nodes) != 1 or len(members) < 2 or not members <= queues.keys():
            continue
        body = plan.nodes[gate.nodes[0]]
        travels = any(queues[node] != body.queue for node in members)
        if travels and not body.auto and taken.isdisjoint(members):
            found.append(Join(body.index, members))
            taken |= members
    return found


def _gates_after(plan: Plan, nodes: Iterable[int]) -> list[Any]:
    numbers = {number for node in nodes for number in plan.nodes[node].feeds}
    return [plan.gates[number] for number in sorted(numbers)]


def _only_successor(plan: Plan, item: Sent) -> int | None:
    """The node that alone follows a single node, waits for it alone, and lives on another queue."""
    if item.wave is not None or plan.nodes[item.nodes[0]].body_of != NONE:
        return None
    feeds = plan.nodes[item.nodes[0]].feeds
    if len(feeds) != 1:
        return None
    gate = plan.gates[feeds[0]]
    if len(gate.upstreams) != 1 or len(gate.nodes) != 1:
        return None
    after = plan.nodes[gate.nodes[0]]
    return after.index if after.queue != item.queue and not after.auto else None


def _tasks(item: Sent, via: str) -> list[Signature]:
    if item.wave is None:
        (node,) = item.nodes
        return [node_signature(item.run, item.scope, node, item.queue, item.priority, via)]
    return [lane_signature(item.run, hint, item.queue, item.priority, via) for hint in item.hints]


def _chain(plan: Plan, item: Sent, after: int) -> Signature:
    """A chain, as Celery itself sends one: the first task carries the rest.

    Not by ``chain(...)``: its ``apply_async`` drops the producer it is given and publishes through
    the app's pool, without our bound in time.
    """
    tail = plan.nodes[after]
    (head,) = _tasks(item, "chain")
    last = node_signature(item.run, item.scope, after, tail.queue, tail.priority, "chain")
    return head.set(chain=[last])  # type: ignore[call-arg]


def _chord(plan: Plan, join: Join, header: Sequence[Sent]) -> Signature:
    body = plan.nodes[join.node]
    run, scope = header[0].run, header[0].scope
    return DurableChord(
        [sig for item in header for sig in _tasks(item, "chord")],
        node_signature(run, scope, body.index, body.queue, body.priority, "chord"),
        app=app(),
    )


class _Publisher(threading.local):
    """One producer a thread, never shared over a fork, with a breaker."""

    def __init__(self) -> None:
        self.pid = 0
        self.app: Celery | None = None
        self.connection: Connection | None = None
        self.producer: Producer | None = None
        self.closed_until = 0.0

    def get(self) -> Producer:
        publishing = app()
        if self.producer is None or self.pid != os.getpid() or self.app is not publishing:
            self.drop()
            self.pid, self.app = os.getpid(), publishing
            self.connection = bounded_connection(publishing)
            self.producer = Producer(self.connection, serializer="json", auto_declare=False)
        return self.producer

    def drop(self) -> None:
        if self.connection is not None and self.pid == os.getpid():
            self.connection.collect()
        self.connection = self.producer = None


_publisher = _Publisher()


def bounded_connection(celery: Celery) -> Connection:
    """A connection on which no operation may last longer than the publish timeout."""
    limit = conf.get("PUBLISH_TIMEOUT")
    connection = celery.connection_for_write()
    options = dict(connection.transport_options or {})
    # One try: the leader sends again what this one does not.
    options |= {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    if connection.transport_cls in ("redis", "rediss", "sentinel"):
        options |= {"socket_timeout": limit, "socket_connect_timeout": limit}
    else:
        options |= {"read_timeout": max(limit, 1.0), "write_timeout": limit}
    connection.transport_options = options
    connection.connect_timeout = max(limit, 1.0)
    return connection


def publish(plan: Plan, sent: Sequence[Sent]) -> bool:
    """Lower and send. False when the broker did not take it: the leader will send it again."""
    return send(lower(plan, sent)) if sent else True


def publish_many(plan: Plan, waves: Iterable[Sequence[Sent]]) -> bool:
    """Like :func:`publish` for waves of many runs, in few round trips where the broker allows it.

    False when it did not take them all; which ones is not known, and the leader finds the others.
    """
    if is_closed():
        return False
    producer: Any = _publisher.get()  # its types do not know batches yet
    connection = producer.connection
    # What the end of a batch raises is not yet in the library's own terms.
    broken = (*connection.connection_errors, *connection.channel_errors)
    try:
        with producer.batch(max_size=BATCH):
            for sent in waves:
                for canvas in lower(plan, sent):
                    _apply(canvas, {})
    except (KombuError, BrokerError, OSError, *broken) as error:
        _pause_after(error)
        return False
    return True


def send(canvases: Iterable[Signature], **options: Any) -> bool:
    """Send signatures, bounded in time; False when the broker did not take them all."""
    if time.monotonic() < _publisher.closed_until:
        return False
    try:
        for canvas in canvases:
            _apply(canvas, options)
    except (KombuError, BrokerError, OSError) as error:
        _pause_after(error)
        return False
    return True


def _pause_after(error: Exception) -> None:
    _publisher.drop()
    _publisher.closed_until = time.monotonic() + BREAKER
    logger.warning("the broker did not take a message (%s); it will be sent again", error)


def _apply(canvas: Signature, options: dict[str, Any]) -> None:
    try:
        canvas.apply_async(producer=_publisher.get(), retry=False, **options)
    except QueueNotFound as error:
        # Raised by an app with task_create_missing_queues = False. The rest can still travel.
        logger.error("a node cannot travel: %s; add it there, or change the workflow", error)  # noqa: TRY400


def is_closed() -> bool:
    """True while this thread leaves publishing to the leader."""
    return time.monotonic() < _publisher.closed_until
