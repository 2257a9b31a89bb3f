"""Why a node does not run."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from celesta.api.schema.operations import operation
from celesta.api.shapes.why import WhyShape
from celesta.api.views.run_parts import SCOPE, NodeBase
from celesta.runs.why_facts import why_waiting


class WhyView(NodeBase):
    """The causes for which one node of a run waits."""

    @operation(
        "runs_node_why", "Tell why a node is not running",
        answers={200: WhyShape}, parameters=[SCOPE],
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID, node: str) -> Response:
        """The causes, the one to look at first first."""
        row = self.row
        causes = why_waiting(self.run, row)
        shown = {"node": node, "scope": row.scope, "state": row.state, "causes": causes}
        return Response(WhyShape(shown).data)
