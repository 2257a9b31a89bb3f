"""What the grid of a workflow shows: columns of runs, lines of nodes, a cell for each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from celesta.console.drawing.pictures import visible
from celesta.console.showing.times import between
from celesta.runs import grid as grids
from celesta.runs import queries
from celesta.runs.models import NodeRun, Run

#: Pixels of the column over a run that took longest.
TALLEST = 44.0
#: A run that took no time at all is still seen.
LOWEST = 4.0


@dataclass(frozen=True, slots=True)
class Column:
    """One run, its duration drawn against the longest beside it."""

    run: Run
    lasted: str
    height: float
    y: float


@dataclass(frozen=True, slots=True)
class Cell:
    """One node run; ``said`` is for those who do not see colours."""

    state: str
    href: str
    said: str


@dataclass(frozen=True, slots=True)
class Line:
    """One node over all runs; None where a run's version does not have it."""

    name: str
    cells: Sequence[Cell | None]


@dataclass(frozen=True, slots=True)
class Shown:
    """The grid's columns, oldest run first, and ``lines`` from the asked one on."""

    columns: Sequence[Column]
    lines: Sequence[Line]
    total: int


def shown(runs: Sequence[Run], first: int, count: int, now: datetime) -> Shown:
    """Lay out these runs, with ``count`` nodes from the ``first`` on."""
    nodes = {
        version: [(n.index, n.name) for n in queries.plan_of(version).nodes if visible(n)]
        for version in {run.version_id for run in runs}
    }
    table = grids.grid(runs, nodes)
    columns = _columns(table.runs, now)
    prefixes = [_prefix(run) for run in table.runs]
    lines = [
        Line(name, _cells(table.cells, name, prefixes, table.runs, now))
        for name in table.names[first : first + count]
    ]
    return Shown(columns, lines, len(table.names))


def _prefix(run: Run) -> str:
    """The address of its nodes without the index: one lookup a run instead of one a cell."""
    return reverse("celesta_console:node", args=[run.pk, 0, 0]).removesuffix("0/")


def _columns(runs: Sequence[Run], now: datetime) -> list[Column]:
    seconds = [
        ((run.finished_at or now) - run.started_at).total_seconds() if run.started_at else 0.0
        for run in runs
    ]
    longest = max(seconds, default=0.0) or 1.0
    heights = [max(one / longest * TALLEST, LOWEST) for one in seconds]
    return [
        Column(
            run, between(run.started_at, run.finished_at, now), round(h, 1), round(TALLEST - h, 1)
        )
        for run, h in zip(runs, heights, strict=True)
    ]


def _cells(
    cells: Mapping[str, Sequence[NodeRun | None]],
    name: str,
    prefixes: Sequence[str],
    runs: Sequence[Run],
    now: datetime,
) -> list[Cell | None]:
    return [
        _cell(row, name, prefix, run, now) if row else None
        for row, prefix, run in zip(cells[name], prefixes, runs, strict=True)
    ]


def _cell(row: NodeRun, name: str, prefix: str, run: Run, now: datetime) -> Cell:
    lasted = between(row.started_at, row.finished_at or run.finished_at, now)
    attempts = f", attempt {row.attempt}" if row.attempt > 1 else ""
    said = f"{name}: {row.state.replace('_', ' ')}{f', {lasted}' if lasted else ''}{attempts}"
    return Cell(row.state, f"{prefix}{row.node}/", said)
