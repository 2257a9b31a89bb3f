"""The timeline of a run: when each node waited for a worker, ran, and waited for something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.urls import reverse

from celesta.console.drawing.pictures import visible
from celesta.console.showing.times import between, duration
from celesta.graph.plan import PlanNode
from celesta.runs import queries
from celesta.runs.models import Event, NodeRun, Run
from celesta.runs.replay import History, Span, replay

#: Nodes on a page, in the order in which they began.
NODES: Final = 200
#: The drawing's width, in percent of its column; a span is never thinner than the second.
WIDTH: Final = 100.0
THINNEST: Final = 0.25
TICKS: Final = 5
#: Steps between ticks, in seconds; above the last whole days are taken.
STEPS: Final = (
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600,
    900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """A span as a part of a line. ``look``: ready, running, waiting, or how the attempt ended."""

    look: str
    x: float
    width: float
    said: str

    @property
    def thin(self) -> bool:
        """True for the time in which it did not run."""
        return self.look in ("ready", "waiting")


@dataclass(frozen=True, slots=True)
class Line:
    """One node with its pieces; ``ran`` and ``waited`` are sums, in words."""

    node: PlanNode
    state: str
    href: str
    attempts: int
    pieces: Sequence[Piece]
    ran: str
    waited: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the axis, in words since the beginning."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Lines under one axis that begins when the run was created."""

    begin: datetime
    end: datetime
    lines: Sequence[Line]
    ticks: Sequence[Tick]
    #: Where the next page begins; None on the last one.
    next: int | None


def timeline(run: Run, now: datetime, first: int = 0) -> Timeline:
    """Read the nodes of the run itself (not the items of maps) from the ``first`` on."""
    plan = queries.plan_of(run.version_id)
    shown = {node.index: node for node in plan.nodes if visible(node)}
    rows = NodeRun.objects.filter(run_id=run.pk, scope=0, node__in=shown)
    rows = rows.exclude(ready_at=None, started_at=None)  # it never came to be its turn
    began = sorted(rows, key=lambda row: (_began(row, now), row.node))
    page = began[first : first + NODES]
    told = _histories(run, page)
    begin, end = run.created_at, run.finished_at or now
    end = max(end, begin + timedelta(milliseconds=1))
    prefix = reverse("celesta_console:node", args=[run.pk, 0, 0]).removesuffix("0/")
    lines = [
        _line(shown[row.node], row, told.get((0, row.node), History()), prefix, begin, end)
        for row in page
    ]
    following = first + NODES if len(began) > first + NODES else None
    return Timeline(begin, end, lines, _ticks((end - begin).total_seconds()), following)


def _began(row: NodeRun, now: datetime) -> datetime:
    return row.ready_at or row.started_at or row.finished_at or now


def _histories(run: Run, rows: Iterable[NodeRun]) -> Mapping[tuple[int, int], History]:
    """Told from the events of these nodes and of the waves that they may be members of."""
    wanted = Q(node__in=[row.node for row in rows]) | Q(node=None, kind="ready")
    events = Event.objects.filter(wanted, run_id=run.pk, scope=0).order_by("id")
    return replay(events)


def _line(
    node: PlanNode, row: NodeRun, told: History, prefix: str, begin: datetime, end: datetime
) -> Line:
    return Line(
        node=node,
        state=row.state,
        href=f"{prefix}{row.node}/",
        attempts=row.attempt,
        pieces=[_piece(span, begin, end) for span in told.spans],
        ran=_sum(told.spans, {"running"}, end),
        waited=_sum(told.spans, {"ready", "waiting"}, end),
    )


def _sum(spans: Iterable[Span], states: set[str], end: datetime) -> str:
    seconds = [_seconds(span, end) for span in spans if span.state in states]
    return duration(sum(seconds)) if seconds else ""


def _seconds(span: Span, end: datetime) -> float:
    return max(((span.end or end) - span.begin).total_seconds(), 0.0)


def _piece(span: Span, begin: datetime, end: datetime) -> Piece:
    whole = (end - begin).total_seconds()
    x = max((span.begin - begin).total_seconds(), 0.0) / whole * WIDTH
    width = max(_seconds(span, end) / whole * WIDTH, THINNEST)
    x = min(x, WIDTH - THINNEST)
    return Piece(_look(span), round(x, 2), round(min(width, WIDTH - x), 2), _said(span, end))


def _look(span: Span) -> str:
    """An attempt that ended is coloured by how; one that will be repeated has failed."""
    if span.state != "running" or not span.ended_by:
        return span.state
    if span.ended_by == "waiting":
        return "failed" if _retried(span) else "succeeded"
    return {"lost": "upstream_failed", "handed_back": "ready"}.get(span.ended_by, span.ended_by)


def _retried(span: Span) -> bool:
    return isinstance(span.data, dict) and "code" in span.data


def _said(span: Span, end: datetime) -> str:
    lasted = between(span.begin, span.end or end, end)
    if span.state == "ready":
        return f"waited for a worker: {lasted}"
    if span.state == "waiting":
        return f"waited: {lasted}"
    became = "" if not span.ended_by else f", {_ENDS.get(span.ended_by, span.ended_by)}"
    if span.ended_by == "waiting" and _retried(span):
        became = f", failed: {span.data.get('message', span.data['code'])}"
    return f"attempt {span.attempt}: {lasted}{became}"


_ENDS: Final = {"waiting": "then waited", "handed_back": "handed back before it began"}


def _ticks(seconds: float) -> list[Tick]:
    wanted = seconds / TICKS
    step = next((s for s in STEPS if s >= wanted), 86_400 * (1 + wanted // 86_400))
    count = int(seconds / step)
    return [Tick(round(i * step / seconds * WIDTH, 2), _label(i * step)) for i in range(count + 1)]


def _label(seconds: float) -> str:
    return "0" if not seconds else duration(seconds).replace(".00 s", " s").replace(".0 s", " s")
