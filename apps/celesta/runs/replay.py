"""What the events of a run say about each node run, told from the first to the last.

Pure: events in the order of their ids go in, states and spans of time come out. What comes out
equals the rows; the tests replay whatever they have done to a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from celesta.runs.states import TERMINAL_NODE, NodeState

Key = tuple[int, int]

#: How an attempt can end without ending its node: it is ready again.
BACK = frozenset({"lost", "handed_back"})
_STATES = frozenset(state.value for state in NodeState)
_ENDED = frozenset(state.value for state in TERMINAL_NODE)


class EventLike(Protocol):
    """What is read of an event; the rows of ``celesta_event`` have it."""

    at: datetime
    kind: str
    scope: int | None
    node: int | None
    attempt: int | None
    data: Any


@dataclass(slots=True)
class Span:
    """A time in which a node run was ``ready``, ``running`` or ``waiting``.

    ``ended_by`` is the kind of the event that ended it; empty while it goes on.
    """

    state: str
    attempt: int
    begin: datetime
    end: datetime | None = None
    ended_by: str = ""
    #: What the event that ended it said: an error, of which worker an attempt was lost.
    data: Any = None


@dataclass(slots=True)
class History:
    """Where a node run is by its events, and how it came there."""

    state: str = NodeState.PENDING.value
    attempt: int = 0
    spans: list[Span] = field(default_factory=list)

    def told(self, event: EventLike, state: str) -> None:
        """Go on with an event that brought this node run into ``state``."""
        self._close(event)
        self.state = state
        if event.attempt is not None:
            self.attempt = event.attempt
        if state not in _ENDED:
            self.spans.append(Span(state, self.attempt, event.at))

    def _close(self, event: EventLike) -> None:
        if not self.spans or self.spans[-1].end is not None:
            return
        last = self.spans[-1]
        # A worker says how long ago its node ended; it cannot have been before it began.
        last.end = max(event.at, last.begin)
        last.ended_by = event.kind
        last.data = event.data


def replay(events: Iterable[EventLike]) -> dict[Key, History]:
    """The history of each node run, by (scope, node); those that no event names are pending."""
    found: dict[Key, History] = {}
    for event in events:
        for scope, node, state in _news(event):
            found.setdefault((scope, node), History()).told(event, state)
    return found


def _news(event: EventLike) -> Iterator[tuple[int, int, str]]:
    """Which node runs an event brought into which state: one, the members of a wave, the items of
    a map, or what a rerun kept. None, when it changed nothing: a late result, a deleted file."""
    if event.scope is None:
        return
    data: Mapping[str, Any] = event.data if isinstance(event.data, dict) else {}
    if event.kind == "kept":
        for node, kept in zip(data["nodes"], data["states"], strict=True):
            yield event.scope, node, kept
        return
    state = NodeState.READY.value if event.kind in BACK else event.kind
    if state not in _STATES:
        return
    if event.node is not None:
        yield event.scope, event.node, state
        return
    for node in data.get("nodes", ()):
        yield event.scope, node, state
    for scope in range(event.scope, event.scope + data.get("items", 0)):
        yield scope, data["node"], state
