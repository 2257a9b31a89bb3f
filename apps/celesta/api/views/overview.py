"""Figures over many runs: how a workspace is doing, and a workflow's runs beside each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.principals import Principal
from celesta.api import asking
from celesta.api.base import BaseView
from celesta.api.schema.operations import operation, query, whole
from celesta.api.shapes.overview import GridShape, OverviewShape
from celesta.api.views.workflows import WorkflowBase
from celesta.graph.plan import NONE
from celesta.runs import figures, grid, queries

RUNS: Final = 30
MOST_RUNS: Final = 100


class OverviewView(BaseView):
    """How a workspace is doing."""

    @operation("overview", "Read how a workspace is doing", answers={200: OverviewShape})
    def get(self, request: Request) -> Response:
        """What runs, waits, fails and is slow; of what has been, the newest runs of a day."""
        seen, now = self._only_here(), timezone.now()
        answer = {
            "open": figures.open_runs(seen),
            "recent": figures.recent(seen, now),
            "queues": figures.waiting_by_queue(seen),
            "failures": figures.failures(seen, now),
            "slowest": figures.slowest(seen, now),
        }
        return Response(OverviewShape(answer).data)

    def _only_here(self) -> Principal:
        """The caller, as one who sees the asked workspace alone."""
        role = self.principal.roles.get(self.workspace.pk, "viewer")
        return replace(self.principal, roles={self.workspace.pk: role}, everywhere=False)


class GridView(WorkflowBase):
    """The newest runs of a workflow beside each other."""

    @operation(
        "workflows_grid", "Read the newest runs of a workflow, node by node",
        answers={200: GridShape},
        parameters=[query("runs", f"How many, by default {RUNS}.", whole(1, MOST_RUNS))],
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Response:
        """The state of each node in each of them, oldest run first."""
        rows = queries.runs(self.principal).filter(workflow=self.workflow).order_by("-id")
        runs = list(rows[: asking.whole(request, "runs", RUNS, 1, MOST_RUNS)])
        shown = {
            version: [
                (node.index, node.name)
                for node in queries.plan_of(version).nodes
                if node.body_of == NONE and not node.auto
            ]
            for version in {run.version_id for run in runs}
        }
        table = grid.grid(runs, shown)
        lines = [
            {"node": node, "states": [row.state if row else None for row in table.cells[node]]}
            for node in table.names
        ]
        return Response(GridShape({"runs": table.runs, "nodes": lines}).data)
