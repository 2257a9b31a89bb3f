"""A run's graph: as data, as a drawing, and how each node travelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, cast
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.api import raw
from celesta.api.schema.operations import operation, query
from celesta.api.shapes.graphs import CanvasShape, GraphShape
from celesta.api.views.runs import RunBase
from celesta.graph import render
from celesta.graph.plan import NONE, Plan, PlanNode
from celesta.runs import queries
from celesta.runs.models import Hint, Run

FORMS: Final = ("json", "mermaid", "dot", "canvas")
MEDIA: Final = {"mermaid": "text/vnd.mermaid", "dot": "text/vnd.graphviz"}
GRAPH_OR_CANVAS: Final = PolymorphicProxySerializer(
    "GraphOrCanvas", [GraphShape, CanvasShape], resource_type_field_name=None
)
#: A node with many items is drawn in the first of these states that one of them has.
LOUDEST: Final = (
    "failed", "running", "waiting", "ready", "pending", "upstream_failed", "cancelled",
    "succeeded", "skipped",
)  # fmt: skip


class GraphView(RunBase):
    """The graph of a run."""

    content_negotiation_class = raw.AnyAccept

    @operation(
        "runs_graph", "Read the graph of a run",
        answers={
            (200, "application/json"): GRAPH_OR_CANVAS,
            (200, MEDIA["mermaid"]): str,
            (200, MEDIA["dot"]): str,
        },
        parameters=[
            query(
                "as",
                "json; mermaid or dot: a drawing; canvas: how each node travelled.",
                enum=list(FORMS),
            )
        ],
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID) -> Response | HttpResponse:
        """Read the graph in one of four forms."""
        form = raw.choice(request, "as", FORMS)
        plan = queries.plan_of(self.run.version_id)
        if form == "canvas":
            return Response(CanvasShape(canvas(self.run, plan)).data)
        counts = queries.states_by_node(run_id)
        if form == "json":
            return Response(GraphShape(graph(self.run, plan, counts)).data)
        states = {plan.nodes[index].name: loudest(found) for index, found in counts.items()}
        drawing = render.render(plan, cast("render.Form", form), states)
        return raw.text(drawing, MEDIA[form])


def loudest(counts: Mapping[str, int]) -> str:
    """The one state in which a node with these node runs is shown."""
    return next(state for state in LOUDEST if counts.get(state))


def graph(run: Run, plan: Plan, counts: Mapping[int, Mapping[str, int]]) -> dict[str, Any]:
    """Nodes with their states and edges with their rules; ``end`` is left out as in drawings."""
    return {
        "run": run.pk,
        "workflow": run.workflow.name,
        "version": run.version.number,
        "state": run.state,
        "nodes": [_node(plan, node, counts.get(node.index, {})) for node in plan.nodes[:-1]],
        "edges": edges(plan),
    }


def edges(plan: Plan) -> list[dict[str, str]]:
    """The arrows of a plan with their rules."""
    return [
        {"source": upstream.name, "target": child.name, "rule": rule or "all_success"}
        for upstream, child, rule in render.edges(plan)
    ]


def _node(plan: Plan, node: PlanNode, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "name": node.name,
        "title": node.title,
        "type": node.type,
        "queue": node.queue,
        "state": loudest(counts) if counts else None,
        "counts": counts,
        "body_of": None if node.body_of == NONE else plan.nodes[node.body_of].name,
        "compensates": node.compensates,
    }


def canvas(run: Run, plan: Plan) -> dict[str, Any]:
    """How each node travelled, and the messages that should be travelling now."""
    travels = queries.travels_by_node(run.pk)
    states = queries.states_by_node(run.pk)
    total: Counter[str] = Counter()
    for found in travels.values():
        total.update(found)
    return {
        "run": run.pk,
        "state": run.state,
        "via": dict(total),
        "nodes": [
            {
                "name": node.name,
                "queue": node.queue,
                "state": loudest(states[node.index]) if node.index in states else None,
                "via": travels.get(node.index, {}),
            }
            for node in plan.nodes
        ],
        "travelling": [_travelling(plan, hint) for hint in queries.hints(run.pk)],
    }


def _travelling(plan: Plan, hint: Hint) -> dict[str, Any]:
    return {
        "node": None if hint.node is None else plan.nodes[hint.node].name,
        "scope": hint.scope,
        "wave": hint.wave,
        "queue": hint.queue,
        "priority": hint.priority,
        "released_at": hint.released_at,
        "sent_at": hint.sent_at,
        "sends": hint.sends,
    }
