"""Who leads, which workers there are, and what waits for them."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api.base import BaseView
from celesta.api.schema.operations import operation
from celesta.api.shapes.cluster import ClusterShape
from celesta.runs.cluster import cluster


class ClusterView(BaseView):
    """The workers of this installation; they are shared by all workspaces."""

    roles = {"GET": Role.OPERATOR}

    @operation(
        "cluster", "Read who leads, which workers there are and what waits",
        answers={200: ClusterShape}, tag="cluster",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Names and counts only: nothing that belongs to a workspace."""
        return Response(ClusterShape(cluster()).data)
