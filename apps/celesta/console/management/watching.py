"""Following a run on a terminal until it has ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from celesta.access.principals import Principal
from celesta.console.management.terminal import Terminal
from celesta.graph.plan import Plan
from celesta.runs import queries
from celesta.runs.models import Event, Run
from celesta.runs.states import TERMINAL_RUN, NodeState

PAUSE: Final = 0.4  # seconds between looks
PAGE: Final = 500
#: Beyond this many lines at one look only the counts are told: nobody reads faster.
MOST_LINES: Final = 40
#: The order in which counts are told.
ORDER: Final = [state.value for state in NodeState]


def watch(run_id: UUID, principal: Principal, terminal: Terminal) -> Run:
    """Print what changes until the run is final, and return it. Ctrl-C leaves the run going."""
    after, counts = 0, dict[str, int]()
    while True:
        run = queries.runs(principal).get(pk=run_id)  # before the events: then none is missed
        after = _tell_events(run, after, terminal)
        counts = _tell_counts(run, counts, terminal)
        if run.state in TERMINAL_RUN and not queries.settled_events(run_id, after, 1):
            return run
        time.sleep(PAUSE)


def _tell_events(run: Run, after: int, terminal: Terminal) -> int:
    plan = queries.plan_of(run.version_id)
    while events := queries.settled_events(run.pk, after, PAGE):
        for event in events if terminal.as_json else events[:MOST_LINES]:
            _tell(plan, event, terminal)
        if len(events) > MOST_LINES:
            terminal.line(f"           ... and {len(events) - MOST_LINES} more changes")
        after = events[-1].pk
    return after


def _tell(plan: Plan, event: Event, terminal: Terminal) -> None:
    words = queries.event_words(plan, event)
    if terminal.as_json:
        terminal.value(words)
        return
    together = len(words["data"]["nodes"]) if "nodes" in (words["data"] or {}) else 0
    name = words["node"] or (f"{together} nodes at once" if together else "")
    item = f" #{event.scope}" if event.scope else ""
    attempt = f" (attempt {event.attempt})" if (event.attempt or 0) > 1 else ""
    kind = terminal.paint(event.kind.ljust(16), event.kind.removeprefix("run_"))
    terminal.line(
        f"  {timezone.localtime(event.at):%H:%M:%S}  {kind} {name}{item}{attempt}".rstrip()
    )


def _tell_counts(run: Run, before: Mapping[str, int], terminal: Terminal) -> dict[str, int]:
    counts = queries.counts_by_state(run.pk)
    if counts != before:
        told = ", ".join(f"{counts[state]} {state}" for state in ORDER if counts.get(state))
        terminal.line(f"  nodes: {told}")
    return counts


def closing(run: Run, terminal: Terminal) -> None:
    """The last words on a run that has ended."""
    if terminal.as_json:
        terminal.value(queries.summary(run))
        return
    took = ""
    if run.finished_at is not None:
        took = f" after {(run.finished_at - run.created_at).total_seconds():.1f} s"
    terminal.line(f"{run.workflow.name} {run.pk}: {terminal.paint(run.state, run.state)}{took}")
    shown: list[tuple[str, Any]] = [("error", run.error), ("output", run.output)]
    told = [(name, value) for name, value in shown if value is not None]
    if told:
        terminal.facts(told)
