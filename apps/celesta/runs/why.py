"""Why a node does not run: one decision over facts, without a database and without a clock.

:mod:`celesta.runs.why_facts` gathers the facts. The codes are part of the API.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from celesta.runs.states import TERMINAL_NODE, TERMINAL_RUN, NodeState, RunState

#: A timer that is due for longer should have been fired: nobody leads.
OVERDUE: Final = timedelta(seconds=10)
#: How many names a sentence tells.
FEW: Final = 5


@dataclass(frozen=True, slots=True)
class Upstream:
    """A node that another one waits for."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Timer:
    """What happens by itself: ``retry``, ``finish`` (of a wait) or ``foreign`` (its timeout)."""

    kind: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A slot of a live worker that listens to the node's queue."""

    worker: str
    #: What it is busy with, in words, and since when; empty while it has nothing to do.
    task: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """The hint that should be travelling."""

    sent_at: datetime
    sends: int


@dataclass(frozen=True, slots=True)
class Items:
    """The map that a node is, or that it is an item of."""

    name: str
    total: int
    done: int
    max_parallel: int | None = None
    running: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """All that decides."""

    now: datetime
    run: str
    node: str
    queue: str
    since: datetime | None = None
    upstreams: tuple[Upstream, ...] = ()
    rule: str = "all_success"
    timer: Timer | None = None
    task: str = ""
    message: Message | None = None
    places: tuple[Place, ...] = ()
    #: Queues that live workers do listen to.
    heard: tuple[str, ...] = ()
    #: Of a running node: its worker, and whether that one has been silent for too long.
    worker: str = ""
    is_silent: bool = False
    #: The map that the node is; and the one that it is an item of.
    items: Items | None = None
    of: Items | None = None
    has_leader: bool = True
    #: Seconds after which a message counts as lost while a slot has nothing to do.
    lost_after: float = 5.0


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason, in words and for programs."""

    code: str
    message: str
    since: datetime | None = None
    #: When it ends by itself, if that is known.
    until: datetime | None = None
    details: dict[str, Any] = field(default_factory=dict)


def why(facts: Facts) -> list[Cause]:
    """The causes, the one to look at first first. Never empty."""
    state = NodeState(facts.node)
    if state in TERMINAL_NODE:
        return [Cause("over", f"It is over: {_words(state)}.")]
    return [*_held_by_run(facts), *_CAUSES[state](facts)]


def _held_by_run(facts: Facts) -> Iterator[Cause]:
    run = RunState(facts.run)
    if run in TERMINAL_RUN:
        yield Cause("run_over", f"The run is over: {run}.")
    elif run == RunState.CANCELLING:
        yield Cause("run_cancelling", "The run is being cancelled: nothing of it begins any more.")
    elif run == RunState.PAUSED:
        yield Cause("run_paused", "The run is paused: resume it, and this goes on.")


def _pending(facts: Facts) -> Iterator[Cause]:
    waited = [one for one in facts.upstreams if one.state not in TERMINAL_NODE]
    if not waited:
        yield Cause("gate_deciding", "Everything before it has ended; it is about to be decided.")
        return
    named = _few(f"{one.name} ({_words(one.state)})" for one in waited)
    more = f", and begins when its rule {facts.rule} is met" * (facts.rule != "all_success")
    yield Cause(
        "upstream", f"It waits for {named}{more}.",
        details={
            "rule": facts.rule,
            "nodes": [{"name": one.name, "state": one.state} for one in waited],
        },
    )  # fmt: skip


def _waiting(facts: Facts) -> Iterator[Cause]:
    timer = facts.timer
    if timer is not None:
        yield _timer(facts, timer)
        if timer.due_at < facts.now - OVERDUE and facts.run == RunState.RUNNING:
            yield from _no_leader(facts)
    elif facts.items is not None:
        items = facts.items
        yield Cause(
            "items", f"{items.done:,} of its {items.total:,} items are done.", facts.since,
            details={"total": items.total, "done": items.done},
        )  # fmt: skip
    else:
        yield Cause("signal", "It waits for something from outside.", facts.since)


def _timer(facts: Facts, timer: Timer) -> Cause:
    whose = facts.task or "of another worker"
    code, said = {
        "retry": ("retry", "Its last attempt failed; the next one begins"),
        "foreign": (
            "foreign_task",
            f"The task {whose} was sent and has not answered; without an answer it is given up",
        ),
    }.get(timer.kind, ("timer", "It waits for a time"))
    details = {"task": facts.task, "queue": facts.queue} if code == "foreign_task" else {}
    at = timer.due_at.isoformat(timespec="seconds")
    return Cause(code, f"{said}: {at}.", facts.since, timer.due_at, details)


def _no_leader(facts: Facts) -> Iterator[Cause]:
    if not facts.has_leader:
        yield Cause("no_leader", "That time has passed, but no worker leads: start one.")


def _ready(facts: Facts) -> Iterator[Cause]:
    of = facts.of
    if of is not None and of.max_parallel is not None and of.running >= of.max_parallel:
        yield Cause(
            "max_parallel",
            f"{of.name} runs at most {of.max_parallel} of its items at once, and {of.running} run.",
            facts.since, details={"limit": of.max_parallel, "running": of.running},
        )  # fmt: skip
        return
    if not facts.places:
        heard = f" Live workers listen to: {', '.join(facts.heard)}." if facts.heard else (
            " There is no live worker at all.")  # fmt: skip
        yield Cause(
            "no_worker", f"No live worker listens to queue {facts.queue!r}.{heard}", facts.since,
            details={"queue": facts.queue, "heard": list(facts.heard)},
        )  # fmt: skip
        return
    idle = [place for place in facts.places if not place.task]
    if not idle:
        yield _busy(facts)
        return
    yield _travelling(facts, len(idle))


def _busy(facts: Facts) -> Cause:
    places = facts.places
    tasks = _few(dict.fromkeys(place.task for place in places))
    since = min((place.since for place in places if place.since), default=None)
    slots = "its only slot is" if len(places) == 1 else f"all {len(places)} slots are"
    return Cause(
        "slots_busy", f"On queue {facts.queue!r} {slots} busy with {tasks}.", facts.since,
        details={
            "queue": facts.queue,
            "busy_since": since,
            "slots": [{"worker": p.worker, "task": p.task, "since": p.since} for p in places],
        },
    )  # fmt: skip


def _travelling(facts: Facts, idle: int) -> Cause:
    message = facts.message
    slots = "1 slot is" if idle == 1 else f"{idle} slots are"
    free = f"On queue {facts.queue!r} {slots} free"
    if message is None:
        return Cause("being_claimed", f"{free}, and one is about to take it.", facts.since)
    details = {"sent_at": message.sent_at, "sends": message.sends, "queue": facts.queue}
    if (facts.now - message.sent_at).total_seconds() <= facts.lost_after:
        return Cause("message_travelling", f"Its message is on its way; {free}.",
                     facts.since, details=details)  # fmt: skip
    again = "the leader sends it again" if facts.has_leader else "no worker leads to send it again"
    return Cause(
        "message_lost",
        f"{free}, but its message has not arrived: it is probably lost, and {again}.",
        facts.since, details=details,
    )  # fmt: skip


def _running(facts: Facts) -> Iterator[Cause]:
    if facts.is_silent:
        yield Cause(
            "worker_silent",
            f"It ran on {facts.worker or 'a worker'} that is silent: others take it over soon.",
            facts.since,
        )
    else:
        yield Cause("running", f"It runs{f' on {facts.worker}' * bool(facts.worker)}.", facts.since)


_CAUSES: Final = {
    NodeState.PENDING: _pending,
    NodeState.READY: _ready,
    NodeState.RUNNING: _running,
    NodeState.WAITING: _waiting,
}


def _few(names: Iterable[str]) -> str:
    known = list(names)
    more = f" and {len(known) - FEW:,} more" if len(known) > FEW else ""
    return ", ".join(known[:FEW]) + more


def _words(state: str) -> str:
    return state.replace("_", " ")
