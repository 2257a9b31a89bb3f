"""Workflows: make, list, read, validate, switch on and off, pause and resume."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import asking, etags
from celesta.api.base import EVERY_METHOD, BaseView
from celesta.api.pagination import Keyset, ordered_by, page
from celesta.api.parsers import DOCUMENT_PARSERS, DocumentBody
from celesta.api.refusals import MalformedBody, NotFound
from celesta.api.schema.operations import ANY_DOCUMENT, DOCUMENT, PAGING, operation, page_of, query
from celesta.api.shapes.problems import Validation
from celesta.api.shapes.workflows import Published, WorkflowDetail, WorkflowShape
from celesta.runs.queries import plan_of
from celesta.workflows import publishing
from celesta.workflows.activation import set_active, set_paused
from celesta.workflows.models import Workflow

BY_NAME = Keyset(("name",))
ORDERS = {
    "name": BY_NAME,
    "-name": Keyset(("name",), descending=True),
    "updated_at": Keyset(("updated_at", "id")),
    "-updated_at": Keyset(("updated_at", "id"), descending=True),
}
#: What makes a version heavy; a workflow is shown without it.
HEAVY = ("draft", "current__source", "current__document", "current__plan_json")


def document_of(request: Request) -> DocumentBody:
    """The document in the body; raises MalformedBody when there is none."""
    body: Any = request.data
    if not isinstance(body, DocumentBody):
        raise MalformedBody("The body is empty; send a workflow document as YAML or JSON.")
    return body


def published(publication: publishing.Publication) -> Response:
    """The answer to a publication: 201 for a new version, 200 when nothing changed."""
    version = publication.version
    shown = {
        "workflow": version.workflow,
        "version": version,
        "created": publication.created,
        "warnings": [problem.as_dict() for problem in publication.compiled.problems],
    }
    return Response(Published(shown).data, status=201 if publication.created else 200)


class WorkflowsView(BaseView):
    """The workflows of a workspace."""

    keeps_to_workflows = frozenset({"GET", "HEAD"})

    parser_classes = DOCUMENT_PARSERS
    roles = {"POST": Role.AUTHOR}

    @operation(
        "workflows_list", "List workflows",
        answers={200: page_of(WorkflowShape)},
        parameters=[
            *PAGING,
            query("order", "By default by name.", enum=list(ORDERS)),
            query("search", "Part of a name or title; 'q' is the same."),
            query("q", "Part of a name or title."),
            query("tag", "Only workflows with this tag."),
            query("active", "Only active (true) or inactive (false) ones.", bool),
            query("paused", "Only paused ones (true), or those that are not (false).", bool),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List workflows by name."""
        return page(request, self._filtered(request), ordered_by(request, ORDERS), _shown)

    @operation(
        "workflows_create", "Create a workflow by publishing its first version",
        body=DOCUMENT, answers={201: Published},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Create a workflow."""
        body = document_of(request)
        publication = publishing.publish_document(
            self.workspace,
            body.source,
            by=request.user,
            note=body.note,
            fmt=body.fmt,
            only_new=True,
        )
        return published(publication)

    def _filtered(self, request: Request) -> QuerySet[Workflow]:
        rows = workflows_of(self)
        for name in ("search", "q"):
            if text := request.query_params.get(name):
                rows = rows.filter(Q(name__icontains=text) | Q(title__icontains=text))
        if tag := request.query_params.get("tag"):
            rows = rows.filter(tags__contains=[tag])
        for switch in ("active", "paused"):
            if (wanted := asking.switch(request, switch)) is not None:
                rows = rows.filter(**{switch: wanted})
        return rows


def workflows_of(view: BaseView) -> QuerySet[Workflow]:
    """The workflows of the view's workspace, without what is heavy."""
    visible: QuerySet[Workflow] = Workflow.objects.visible_to(view.principal)
    rows = visible.filter(workspace=view.workspace)
    return rows.select_related("workspace", "current").defer(*HEAVY)


def _shown(rows: list[Workflow]) -> Iterable[Any]:
    return WorkflowShape(rows, many=True).data


def shown_whole(workflow: Workflow) -> dict[str, Any]:
    """A workflow with the schema of its params."""
    schema = plan_of(workflow.current_id).params_schema if workflow.current_id else {}
    return {**WorkflowShape(workflow).data, "params_schema": schema}


def publish_unchanged(view: BaseView, request: Request, name: str) -> Response:
    """Publish the body under this name, if the workflow is still as If-Match says.

    Raises PreconditionFailed.
    """
    body = document_of(request)
    with transaction.atomic():
        if "If-Match" in request.headers:
            # Under the lock that every publication takes: what is compared here stays so.
            rows = workflows_of(view).filter(name=name)
            seen = rows.select_for_update(no_key=True, of=("self",)).first()
            etags.demand(request, shown_whole(seen) if seen else None)
        publication = publishing.publish_document(
            view.workspace, body.source, by=request.user, note=body.note, fmt=body.fmt, name=name
        )
    return published(publication)


class WorkflowBase(BaseView):
    """Anything about one workflow, which the address names."""

    keeps_to_workflows = EVERY_METHOD

    @property
    def named_workflow(self) -> str:
        """The name in the address."""
        name: str = self.kwargs["name"]
        return name

    @cached_property
    def workflow(self) -> Workflow:
        """The workflow; raises NotFound."""
        name = self.kwargs["name"]
        found = workflows_of(self).filter(name=name).first()
        if found is None:
            raise NotFound(f"There is no workflow {name!r} in workspace {self.workspace.slug!r}.")
        return found


class WorkflowView(WorkflowBase):
    """One workflow."""

    parser_classes = DOCUMENT_PARSERS
    roles = {"PUT": Role.AUTHOR}

    @operation(
        "workflows_get", "Read a workflow",
        answers={200: WorkflowDetail, 304: None}, parameters=[etags.IF_NONE_MATCH],
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Any:
        """Read a workflow with the schema of its params; its ETag is for If-Match."""
        data = shown_whole(self.workflow)
        return etags.tagged(request, Response(data), etags.of(data))

    @operation(
        "workflows_put", "Publish a document under this name, making the workflow if need be",
        body=DOCUMENT, answers={200: Published, 201: Published}, parameters=[etags.IF_MATCH],
    )  # fmt: skip
    def put(self, request: Request, name: str) -> Response:
        """Publish a document."""
        return publish_unchanged(self, request, name)


class ValidateView(WorkflowView):
    """Checks a document; a workflow that happens to be named ``validate`` is read here as well."""

    roles = {"PUT": Role.AUTHOR, "POST": Role.VIEWER}
    keeps_to_workflows = frozenset({"GET", "HEAD", "PUT"})
    doubles = frozenset({"GET", "PUT"})

    @operation(
        "workflows_validate", "Check a document: all errors and warnings at once",
        body=ANY_DOCUMENT, answers={200: Validation},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Check a document without publishing it."""
        body = document_of(request)
        compiled = publishing.validate(body.source, workspace=self.workspace, fmt=body.fmt)
        shown = {
            "valid": compiled.plan is not None,
            "checksum": compiled.checksum if compiled.plan else "",
            "problems": [problem.as_dict() for problem in compiled.problems],
        }
        return Response(Validation(shown).data)


class ActivateView(WorkflowBase):
    """Lets a workflow take new runs."""

    roles = {"POST": Role.AUTHOR}
    active = True

    @operation("workflows_activate", "Take new runs", answers={200: WorkflowShape})
    def post(self, request: Request, name: str) -> Response:
        """Activate the workflow."""
        return Response(WorkflowShape(set_active(self.workflow, active=self.active)).data)


class DeactivateView(ActivateView):
    """Lets a workflow refuse new runs; runs under way go on."""

    active = False

    @operation("workflows_deactivate", "Refuse new runs", answers={200: WorkflowShape})
    def post(self, request: Request, name: str) -> Response:
        """Deactivate the workflow."""
        return super().post(request, name)


class PauseView(WorkflowBase):
    """Lets nothing start a workflow by itself; people and programs still start it."""

    roles = {"POST": Role.AUTHOR}
    paused = True

    @operation("workflows_pause", "Hold its schedules back", answers={200: WorkflowShape})
    def post(self, request: Request, name: str) -> Response:
        """Pause the workflow."""
        return Response(WorkflowShape(set_paused(self.workflow, paused=self.paused)).data)


class ResumeView(PauseView):
    """Lets schedules start a workflow again; what they missed is caught up as each one says."""

    paused = False

    @operation("workflows_resume", "Let its schedules go on", answers={200: WorkflowShape})
    def post(self, request: Request, name: str) -> Response:
        """Resume the workflow."""
        return super().post(request, name)
