"""The runs of a workflow beside each other, node by node. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from celesta.runs.models import NodeRun, Run


@dataclass(frozen=True, slots=True)
class Grid:
    """Runs (oldest first) by nodes: ``cells[name][i]`` is the node run of the i-th run, or None."""

    runs: Sequence[Run]
    names: Sequence[str]
    cells: Mapping[str, Sequence[NodeRun | None]]


def grid(runs: Sequence[Run], shown: Mapping[int, Sequence[tuple[int, str]]]) -> Grid:
    """The states of nodes in several runs of a workflow, newest run last.

    ``shown`` gives for each version the (index, name) of the nodes to show; the newest version's
    order comes first, nodes that it no longer has follow.
    """
    ordered = sorted(runs, key=lambda run: run.pk)
    names = dict.fromkeys(name for run in reversed(ordered) for _, name in shown[run.version_id])
    places = {run.pk: i for i, run in enumerate(ordered)}
    by_index = {version: dict(nodes) for version, nodes in shown.items()}
    version_of = {run.pk: run.version_id for run in ordered}
    cells: dict[str, list[NodeRun | None]] = {name: [None] * len(ordered) for name in names}
    wanted = {index for nodes in by_index.values() for index in nodes}
    rows = NodeRun.objects.filter(run_id__in=list(places), scope=0, node__in=wanted)
    for row in rows:
        name = by_index[version_of[row.run_id]].get(row.node)
        if name is not None:
            cells[name][places[row.run_id]] = row
    return Grid(ordered, list(names), cells)
