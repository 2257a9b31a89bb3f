"""What the page of a run shows, read in a handful of queries whatever the size of the run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from celesta.artifacts.models import Artifact
from celesta.artifacts.store import newest
from celesta.console.drawing.pictures import STATES, Picture, is_large, picture, visible
from celesta.console.showing.times import between, duration
from celesta.graph.plan import NONE, Plan, PlanNode
from celesta.runs import queries
from celesta.runs.models import Event, NodeRun, Output, Run
from celesta.runs.states import TERMINAL_RUN

#: Rows of a table before "more".
ROWS = 100
EVENTS = 30
#: Names of nodes, and characters of a message, in the line of an event.
FEW, SAID = 4, 160
#: Width of a bar in the timeline column, in pixels.
TIMELINE = 160.0
#: A bar is never narrower: a short node must be seen too.
THINNEST = 2.0

Counts = dict[str, int]


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One line of the nodes table."""

    node: PlanNode
    scope: int
    state: str
    attempt: int
    losses: int
    via: str
    worker: str
    started_at: datetime | None
    finished_at: datetime | None
    lasted: str
    error: str
    items: Counts
    x: float = 0.0
    width: float = 0.0


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything that changes while a run goes on."""

    run: Run
    now: datetime
    #: The state of each node by its index, and of each map's items by the map's.
    states: Mapping[int, str]
    maps: Mapping[int, Counts]
    rows: Sequence[NodeRow]
    #: Index of the node after which the next page of rows begins; None on the last one.
    more: int | None
    counts: Counts
    events: Sequence[Mapping[str, Any]]
    artifacts: Sequence[Artifact]
    seen: int

    @property
    def picture(self) -> Picture | None:
        """The graph, drawn node by node; None when it has too many."""
        plan = queries.plan_of(self.run.version_id)
        return None if is_large(plan) else picture(plan, self.states, self.maps)

    @property
    def overview(self) -> Picture | None:
        """The graph by its layers, when it has too many nodes."""
        plan = queries.plan_of(self.run.version_id)
        return picture(plan, self.states, self.maps) if is_large(plan) else None

    @property
    def snapshot(self) -> Mapping[str, Any]:
        """The states of all nodes, for the script that colours the graph."""
        maps = {index: list(counts.items()) for index, counts in self.maps.items()}
        return {"seen": self.seen, "states": self.states, "maps": maps}

    @property
    def live(self) -> bool:
        """True while anything may still change."""
        return self.run.state not in TERMINAL_RUN

    @property
    def lasted(self) -> str:
        """The duration, up to now while it runs."""
        return between(self.run.started_at, self.run.finished_at, self.now)

    @property
    def done(self) -> int:
        """How many nodes have ended."""
        open_ = ("pending", "ready", "running", "waiting")
        return sum(n for state, n in self.counts.items() if state not in open_)


def shown(run: Run, now: datetime, *, state: str = "", after: int = -1) -> Shown:
    """Read a run for its page; ``state`` filters the table, which begins after that node index."""
    plan = queries.plan_of(run.version_id)
    root = {row.node: row for row in queries.node_runs(run.pk).filter(scope=0)}
    maps = items_of(run.pk, plan)
    wanted = [n for n in plan.nodes if _listed(n, root, state) and n.index > after]
    page = wanted[:ROWS]
    states = {index: row.state for index, row in root.items()}
    events = recent_events(run.pk, plan)
    return Shown(
        run=run,
        now=now,
        states=states,
        maps=maps,
        rows=_rows(run, now, [(node, root[node.index]) for node in page], maps),
        more=page[-1].index if len(wanted) > len(page) else None,
        counts=_tally(states[n.index] for n in plan.nodes if visible(n) and n.index in root),
        events=events,
        artifacts=list(artifacts_of(run.pk)[:ROWS]),
        seen=max((event["id"] for event in events), default=0),
    )


def _listed(node: PlanNode, root: Mapping[int, NodeRun], state: str) -> bool:
    row = root.get(node.index)
    return row is not None and visible(node) and (not state or row.state == state)


def items_of(run_id: UUID, plan: Plan) -> dict[int, Counts]:
    """For each map that was expanded, how many of its items are in which state."""
    bodies = {node.body: node.index for node in plan.nodes if node.body != NONE}
    if not bodies:
        return {}
    rows = NodeRun.objects.filter(run_id=run_id, scope__gt=0, node__in=bodies)
    found: dict[int, Counts] = {}
    for row in rows.values("node", "state").annotate(n=Count("*")):
        found.setdefault(bodies[row["node"]], {})[row["state"]] = row["n"]
    return {index: in_order(counts) for index, counts in found.items()}


def artifacts_of(run_id: UUID) -> QuerySet[Artifact]:
    """The files of a run, each from its newest attempt."""
    rows: QuerySet[Artifact] = newest(Artifact.objects.filter(run_id=run_id))
    return rows


def recent_events(run_id: UUID, plan: Plan, before: int | None = None) -> list[Mapping[str, Any]]:
    """The newest events, or those before an id, newest first."""
    rows = Event.objects.filter(run_id=run_id).order_by("-id")
    if before is not None:
        rows = rows.filter(id__lt=before)
    return [described(event, plan) for event in rows[:EVENTS]]


def described(event: Event, plan: Plan) -> dict[str, Any]:
    """An event with the name of its node, and which colour it has."""
    known = event.node is not None and event.node < len(plan.nodes)
    data = event.data if isinstance(event.data, dict) else {}
    kind = event.kind.removeprefix("run_")
    return {
        "id": event.pk,
        "at": event.at,
        "kind": kind.replace("_", " "),
        "state": kind if kind in STATES or kind in ("paused", "cancelling") else "",
        "node": plan.nodes[event.node].name if known else "",  # type: ignore[index]
        "index": event.node,
        "scope": event.scope or 0,
        "attempt": event.attempt,
        "data": None if "nodes" in data else event.data,
        "names": _names(data, plan),
        "code": data.get("code", "") if data.get("code") != kind else "",
        "said": _said(data),
    }


def _names(data: Mapping[str, Any], plan: Plan) -> str:
    """Of which nodes an event of the run tells: several at once, or the items of a map."""
    if isinstance(data.get("nodes"), list):
        names = [plan.nodes[index].name for index in data["nodes"]]
        more = f" and {len(names) - FEW:,} more" if len(names) > FEW else ""
        return ", ".join(names[:FEW]) + more
    if isinstance(data.get("node"), int) and "items" in data:
        name: str = plan.nodes[data["node"]].name
        return name
    return ""


def _said(data: Mapping[str, Any]) -> str:
    """What an event says beyond its kind, for people; empty when only its data tell."""
    by = f" by {data['by']}" if data.get("by") else ""
    if data.get("message"):
        said = str(data["message"])
        return (said if len(said) <= SAID else f"{said[: SAID - 1]}…") + by
    if "artifact" in data:
        return f"{data.get('name', '')}{by}"
    items = data.get("items")
    return f"{items:,} item{'s' * (items != 1)}" if isinstance(items, int) else ""


def _tally(states: Iterable[str]) -> Counts:
    counts: Counts = {}
    for state in states:
        counts[state] = counts.get(state, 0) + 1
    return in_order(counts)


def in_order(counts: Counts) -> Counts:
    """Counts by state, what is done before what is to come."""
    return dict(sorted(counts.items(), key=lambda pair: STATES.index(pair[0])))


def _rows(
    run: Run,
    now: datetime,
    pairs: Sequence[tuple[PlanNode, NodeRun]],
    maps: Mapping[int, Counts],
) -> list[NodeRow]:
    outputs = queries.outputs_of(run.pk, [row for _, row in pairs])
    workers = queries.workers_of(row for _, row in pairs)
    return [
        _row(run, now, node, row, outputs.get((row.scope, row.node)), workers, maps)
        for node, row in pairs
    ]


def _row(
    run: Run,
    now: datetime,
    node: PlanNode,
    row: NodeRun,
    output: Output | None,
    workers: Mapping[int, str],
    maps: Mapping[int, Counts],
) -> NodeRow:
    x, width = _bar(run, now, row)
    return NodeRow(
        node=node,
        scope=row.scope,
        state=row.state,
        attempt=row.attempt,
        losses=row.losses,
        via=row.via or "",
        worker=workers.get(row.slot or 0, f"slot {row.slot}" if row.slot else ""),
        started_at=row.started_at,
        finished_at=row.finished_at,
        lasted=between(row.started_at, row.finished_at, now),
        error=_first_line(output.error) if output else "",
        items=maps.get(node.index, {}),
        x=x,
        width=width,
    )


def _bar(run: Run, now: datetime, row: NodeRun) -> tuple[float, float]:
    """Where a node lies on the timeline of its run: left edge and width in pixels."""
    begin, end = run.started_at or run.created_at, run.finished_at or now
    whole = (end - begin).total_seconds()
    if row.started_at is None or whole <= 0:
        return 0.0, 0.0
    start = (row.started_at - begin).total_seconds() / whole * TIMELINE
    lasted = ((row.finished_at or now) - row.started_at).total_seconds() / whole * TIMELINE
    width = min(max(lasted, THINNEST), TIMELINE)
    return round(min(max(start, 0.0), TIMELINE - width), 1), round(width, 1)


def _first_line(error: Any) -> str:
    message = error.get("message", "") if isinstance(error, dict) else error
    return str(message or "").split("\n", 1)[0][:300]


def median_duration(version_runs: Sequence[Run]) -> str:
    """The median duration of finished runs, in words; empty when none finished."""
    lasted = sorted(
        (run.finished_at - run.started_at).total_seconds()
        for run in version_runs
        if run.started_at and run.finished_at
    )
    return duration(lasted[len(lasted) // 2]) if lasted else ""
