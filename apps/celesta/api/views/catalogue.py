"""What a document may use: the palette of node types."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from celesta.api.base import BaseView
from celesta.api.schema.operations import operation
from celesta.api.shapes.workflows import NodeTypeShape
from celesta.graph.node_types import NodeType, registry


class NodeTypesView(BaseView):
    """The node types of this installation, those of outside packages too."""

    keeps_to_workflows = frozenset({"GET", "HEAD"})

    @operation(
        "node_types_list", "List node types",
        answers={200: NodeTypeShape(many=True)}, tag="node-types",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List the types by name with the JSON Schema of their ``with``."""
        return Response([_shown(node_type) for node_type in registry])


def _shown(node_type: NodeType) -> dict[str, object]:
    return {
        "name": node_type.name,
        "title": node_type.title,
        "summary": node_type.summary,
        "schema": node_type.Config.model_json_schema(),
    }
