"""What belongs to a run: nodes, events, artifacts, its graph."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.http.response import HttpResponseBase
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from celesta.access.models import Role
from celesta.access.scoping import WorkspaceScoped
from celesta.api import etags, raw
from celesta.api.asking import number
from celesta.api.pagination import Keyset, limit_of, page
from celesta.api.refusals import InvalidArtifactName, InvalidQuery, NotFound
from celesta.api.schema.operations import PAGING, operation, page_of, query, several, whole
from celesta.api.shapes.runs import (
    NODE_STATES,
    ArtifactShape,
    EventShape,
    NodeRunDetail,
    NodeRunShape,
)
from celesta.api.views.runs import RunBase
from celesta.artifacts import serving, store
from celesta.artifacts.models import Artifact
from celesta.artifacts.names import ArtifactNameInvalid, safe_name
from celesta.artifacts.store import newest
from celesta.graph.plan import Plan
from celesta.runs import queries
from celesta.runs.models import NodeRun, Run

BY_PLAN = Keyset(("scope", "node"))
BY_AGE = Keyset(("created_at", "id"))
LAST_SCOPE: Final = 2**31 - 1
LAST_EVENT: Final = 2**63 - 1
SCOPE: Final = query("scope", "Which item of a map; 0 is the run itself.", whole(0))


class NodesView(RunBase):
    """The nodes of a run, with their states."""

    @operation(
        "runs_nodes", "List the nodes of a run",
        answers={200: page_of(NodeRunShape)},
        parameters=[*PAGING, several("state", "Only nodes in one of these states.", NODE_STATES)],
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID) -> Response:
        """List node runs: scope 0 in the plan's order, then the items of maps."""
        rows = queries.node_runs(run_id)
        if text := request.query_params.get("state"):
            rows = rows.filter(state__in=_node_states(text))
        return page(request, rows, BY_PLAN, self._shown)

    def _shown(self, rows: list[NodeRun]) -> Iterable[Any]:
        return NodeRunShape(described(self.run, rows), many=True).data


def _node_states(text: str) -> list[str]:
    states = text.split(",")
    unknown = [state for state in states if state not in NODE_STATES]
    if unknown:
        raise InvalidQuery(f"{unknown[0]!r} is no state; known: {', '.join(NODE_STATES)}.")
    return states


def described(run: Run, rows: list[NodeRun]) -> list[dict[str, Any]]:
    """Node runs with what the plan, their outputs and their slots say of them."""
    return queries.described(queries.plan_of(run.version_id), run.pk, rows)


class NodeBase(RunBase):
    """Anything about one node of a run, by its name and ``?scope=``."""

    @cached_property
    def row(self) -> NodeRun:
        """The node run; raises NotFound."""
        name, scope = self.kwargs["node"], number(self.request, "scope", LAST_SCOPE)
        index = index_of(queries.plan_of(self.run.version_id), name)
        row = queries.node_runs(self.run.pk).filter(scope=scope, node=index).first()
        if row is None:
            raise NotFound(f"Node {name!r} is not in scope {scope} of this run.")
        return row

    def answer(self) -> Response:
        """The node run with its output."""
        return Response(NodeRunDetail(described(self.run, [self.row])[0]).data)


class NodeView(NodeBase):
    """One node of a run, with its output."""

    @operation(
        "runs_node", "Read a node of a run with its output",
        answers={200: NodeRunDetail},
        parameters=[SCOPE],
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID, node: str) -> Response:
        """Read a node run."""
        return self.answer()


def index_of(plan: Plan, name: str) -> int:
    """The plan's index of a node by its name; raises NotFound."""
    node = plan.by_name().get(name)
    if node is None:
        raise NotFound(f"The workflow of this run has no node {name!r}.")
    return node.index


class EventsView(RunBase):
    """The history of a run."""

    @operation(
        "runs_events", "Read the history of a run, in order",
        answers={200: page_of(EventShape)},
        parameters=[
            query("after", "The last event that was seen.", whole(0)),
            PAGING[1],
        ],
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID) -> Response:
        """Read events; none is ever missed by going on from the last one seen."""
        limit = limit_of(request)
        events = queries.settled_events(run_id, number(request, "after", LAST_EVENT), limit)
        address = request.build_absolute_uri()
        more = (
            replace_query_param(address, "after", events[-1].id) if len(events) == limit else None
        )
        plan = queries.plan_of(self.run.version_id)
        shown = EventShape([queries.event_words(plan, event) for event in events], many=True)
        return Response({"results": shown.data, "next": more})


class ArtifactsView(RunBase):
    """The files that a run saved."""

    @operation(
        "runs_artifacts", "List the artifacts of a run",
        answers={200: page_of(ArtifactShape)},
        parameters=[
            *PAGING,
            query("name", "Only files of this name."),
            query("node", "Only files of the node of this name."),
        ],
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID) -> Response:
        """List artifacts, each of its newest attempt, in the order in which they were saved."""
        return page(request, newest(self._filtered(request)), BY_AGE, self._shown)

    def _filtered(self, request: Request) -> WorkspaceScoped:
        rows = artifacts_of(self)
        if name := request.query_params.get("name"):
            try:
                rows = rows.filter(name=safe_name(name))
            except ArtifactNameInvalid as error:
                raise InvalidArtifactName(f"{error}.") from error
        if node := request.query_params.get("node"):
            rows = rows.filter(node_name=node)
        return rows

    def _shown(self, rows: list[Artifact]) -> Iterable[Any]:
        return [described_file(self, row) for row in rows]


def artifacts_of(view: RunBase) -> WorkspaceScoped:
    """The artifacts of the view's run."""
    visible: WorkspaceScoped = Artifact.objects.visible_to(view.principal)
    return visible.filter(run_id=view.run.pk)


def described_file(view: RunBase, artifact: Artifact) -> Any:
    """An artifact with the address of its bytes."""
    path = reverse("celesta_api:artifact-content", args=[artifact.run_id, artifact.pk])
    artifact.content = view.request.build_absolute_uri(path)  # type: ignore[attr-defined]
    return ArtifactShape(artifact).data


class ArtifactBase(RunBase):
    """Anything about one file of a run."""

    @cached_property
    def artifact(self) -> Artifact:
        """The artifact that the address names; raises NotFound."""
        pk = min(self.kwargs["artifact_id"], 2**63 - 1)
        found: Artifact | None = artifacts_of(self).filter(pk=pk).first()
        if found is None:
            raise NotFound("This run has no such artifact.")
        return found


class ArtifactView(ArtifactBase):
    """One file of a run."""

    roles = {"DELETE": Role.OPERATOR}

    @operation("runs_artifact", "Read about an artifact", answers={200: ArtifactShape})
    def get(self, request: Request, run_id: UUID, artifact_id: int) -> Response:
        """Read about an artifact."""
        return Response(described_file(self, self.artifact))

    @operation("runs_artifact_delete", "Delete an artifact", answers={204: None})
    def delete(self, request: Request, run_id: UUID, artifact_id: int) -> Response:
        """Delete a file for good, with what earlier attempts saved under its name."""
        store.delete(self.artifact, by=self.principal.name)
        return Response(status=204)


class ArtifactContentView(ArtifactBase):
    """The bytes of an artifact."""

    content_negotiation_class = raw.AnyAccept

    @operation(
        "runs_artifact_content", "Download an artifact",
        answers={(200, "*/*"): bytes, 304: None}, parameters=[etags.IF_NONE_MATCH],
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID, artifact_id: int) -> HttpResponseBase:
        """Download an artifact, always as a file to save: it may be a page of anybody's making."""
        artifact = self.artifact
        tag = f'"{artifact.sha256}"'
        if same := etags.unchanged(request, tag):
            return same
        try:
            content = store.open_artifact(artifact)
        except store.ArtifactMissing as error:
            raise NotFound(str(error)) from error
        response = serving.in_pieces(
            request._request,  # noqa: SLF001 - there is no other way to ask
            content,
            as_attachment=True,
            filename=artifact.name,
            content_type=artifact.content_type,
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "sandbox"
        response.headers["ETag"] = tag
        return response
