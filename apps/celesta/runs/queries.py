"""Reading the history of runs, as the doors need it. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from string import hexdigits
from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now

from celesta.access.principals import Principal
from celesta.graph.plan import Plan
from celesta.runs.models import DeadLetter, Event, Hint, NodeRun, Output, PastSlot, Run, Slot
from celesta.workflows.models import WorkflowVersion

#: An event older than this was committed or never will be: no transaction of ours lives as long.
SETTLED_AFTER: Final = timedelta(seconds=3)
#: How many ids behind a young event are searched for one that is still to be committed.
GAP_WINDOW: Final = 5_000

_SETTLED = ExpressionWrapper(Q(at__lt=Now() - SETTLED_AFTER), output_field=BooleanField())

UUID_DIGITS: Final = 32

#: What makes a version heavy; lists of runs do without it.
_HEAVY = ("version__source", "version__document", "version__plan_json", "workflow__draft")


def runs(principal: Principal) -> QuerySet[Run]:
    """The runs a principal may see, newest first, with workflow, version number and workspace."""
    visible: QuerySet[Run] = Run.objects.visible_to(principal)
    return visible.select_related("workspace", "workflow", "version").defer(*_HEAVY)


def with_id_prefix(rows: QuerySet[Run], prefix: str) -> QuerySet[Run]:
    """Runs whose id begins with ``prefix`` (hex digits, dashes or not); uses the primary key.

    Raises ValueError when the prefix is no part of a UUID.
    """
    first, last = id_range(prefix)
    return rows.filter(id__gte=first, id__lte=last)


def id_range(prefix: str) -> tuple[UUID, UUID]:
    """The first and the last id that begin with ``prefix``; raises ValueError as above."""
    digits = prefix.replace("-", "").lower()
    if not digits or set(digits) - set(hexdigits):
        raise ValueError(f"{prefix!r} is no part of a UUID")
    first, last = (UUID(digits.ljust(UUID_DIGITS, filler)) for filler in "0f")
    return first, last


def dead_letters(principal: Principal) -> QuerySet[DeadLetter]:
    """The dead letters a principal may see, newest first, with workflow and workspace."""
    visible: QuerySet[DeadLetter] = DeadLetter.objects.visible_to(principal)
    return visible.select_related("workflow", "workspace").defer("workflow__draft")


@lru_cache(maxsize=32)
def plan_of(version_id: int) -> Plan:
    """The plan of a version. Kept in memory: versions never change."""
    stored = WorkflowVersion.objects.filter(pk=version_id).values_list("plan_json", flat=True).get()
    return Plan.from_json(stored)


def node_runs(run_id: UUID) -> QuerySet[NodeRun]:
    """All node runs of a run: the root scope first, in the plan's order."""
    return NodeRun.objects.filter(run_id=run_id).order_by("scope", "node")


def outputs_of(run_id: UUID, rows: Iterable[NodeRun]) -> dict[tuple[int, int], Output]:
    """What these node runs ended with, by (scope, node); no entry means null."""
    wanted = {(row.scope, row.node) for row in rows}
    found = Output.objects.filter(
        run_id=run_id,
        scope__in={scope for scope, _ in wanted},
        node__in={node for _, node in wanted},
    )
    return {(o.scope, o.node): o for o in found if (o.scope, o.node) in wanted}


def counts_by_state(run_id: UUID) -> dict[str, int]:
    """How many node runs are in which state."""
    rows = NodeRun.objects.filter(run_id=run_id).values("state").annotate(n=Count("*"))
    return {row["state"]: row["n"] for row in rows}


def settled_events(run_id: UUID, after: int, limit: int) -> list[Event]:
    """At most ``limit`` events with ids above ``after``, in order, so that none is ever missed.

    Ids are given out before they are committed, so a later id can be seen before an earlier one.
    The list therefore ends before a young event that follows a gap in the ids: whoever goes on
    from the last event returned will see what was in the gap.
    """
    rows = Event.objects.filter(run_id=run_id, id__gt=after).order_by("id")
    events = list(rows.annotate(settled=_SETTLED)[:limit])
    first_young = next((i for i, event in enumerate(events) if not event.settled), None)
    if first_young is None:
        return events
    # Without ``after`` the list begins with the run's first event, before which nothing can come.
    known = events[max(first_young - 1, 0)].id if first_young or not after else after
    gap = _first_young_gap(max(known, events[first_young].id - GAP_WINDOW), events[-1].id)
    return [event for event in events if event.id < gap]


def _first_young_gap(above: int, last: int) -> int:
    """The lowest id in ``(above, last]`` that may yet be committed, else ``last + 1``."""
    rows = Event.objects.filter(id__gt=above, id__lte=last).order_by("id")
    expected = above + 1
    for found, settled in rows.values_list("id", _SETTLED).iterator():
        if found != expected and not settled:
            return expected
        expected = found + 1
    return expected


def states_by_node(run_id: UUID) -> dict[int, dict[str, int]]:
    """For each node of the plan, how many of its node runs (one a scope) are in which state."""
    found: dict[int, dict[str, int]] = {}
    rows = NodeRun.objects.filter(run_id=run_id).values("node", "state").annotate(n=Count("*"))
    for row in rows:
        found.setdefault(row["node"], {})[row["state"]] = row["n"]
    return found


def travels_by_node(run_id: UUID) -> dict[int, dict[str, int]]:
    """For each node that was claimed, how many of its node runs came by chain, chord, group, ..."""
    found: dict[int, dict[str, int]] = {}
    claimed = NodeRun.objects.filter(run_id=run_id, via__isnull=False)
    for row in claimed.values("node", "via").annotate(n=Count("*")):
        found.setdefault(row["node"], {})[row["via"]] = row["n"]
    return found


def hints(run_id: UUID) -> QuerySet[Hint]:
    """The messages of a run that should be travelling now."""
    return Hint.objects.filter(run_id=run_id).order_by("id")


def workers_of(rows: Iterable[NodeRun]) -> dict[int, str]:
    """Worker and process of each slot that ran these nodes, whether it is still there or not."""
    ids = {row.slot for row in rows if row.slot}
    return {
        pk: f"{worker} · {pid}"
        for model in (PastSlot, Slot)
        for pk, worker, pid in model.objects.filter(pk__in=ids).values_list("pk", "worker", "pid")
    }


def described(plan: Plan, run_id: UUID, rows: Sequence[NodeRun]) -> list[dict[str, Any]]:
    """Node runs in their author's words: names, types, where they ran, what they ended with."""
    outputs, workers = outputs_of(run_id, rows), workers_of(rows)
    return [
        _described(plan, row, outputs.get((row.scope, row.node)), workers.get(row.slot or 0))
        for row in rows
    ]


def _described(
    plan: Plan, row: NodeRun, output: Output | None, worker: str | None
) -> dict[str, Any]:
    node = plan.nodes[row.node]
    return {
        "name": node.name,
        "type": node.type,
        "title": node.title,
        "queue": node.queue,
        "node": row.node,
        "scope": row.scope,
        "state": row.state,
        "attempt": row.attempt,
        "losses": row.losses,
        "via": row.via,
        "worker": worker,
        "ready_at": row.ready_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "output": output.value if output else None,
        "error": output.error if output else None,
    }


def event_words(plan: Plan, event: Event) -> dict[str, Any]:
    """One event in its author's words: nodes by name."""
    data = event.data
    if event.node is None and isinstance(data, dict) and isinstance(data.get("nodes"), list):
        data = {**data, "nodes": [plan.nodes[index].name for index in data["nodes"]]}
    return {
        "id": event.pk,
        "at": event.at,
        "kind": event.kind,
        "scope": event.scope,
        "node": None if event.node is None else plan.nodes[event.node].name,
        "attempt": event.attempt,
        "data": data,
    }


def summary(run: Run) -> dict[str, Any]:
    """One run as plain values, its data included."""
    return {
        "id": str(run.pk),
        "workflow": run.workflow.name,
        "version": run.version.number,
        "state": run.state,
        "trigger": run.trigger,
        "created_by": run.created_by,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "params": run.params,
        "output": run.output,
        "error": run.error,
    }
