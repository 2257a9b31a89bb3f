"""Versions of a workflow: publish, list, read, compare, restore."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import etags, raw
from celesta.api.pagination import Keyset, page
from celesta.api.parsers import DOCUMENT_PARSERS
from celesta.api.refusals import InvalidQuery, NotFound
from celesta.api.schema.operations import DOCUMENT, PAGING, operation, page_of, query, whole
from celesta.api.shapes.workflows import Difference, Published, VersionBrief, VersionDetail
from celesta.api.views.workflows import WorkflowBase, publish_unchanged, published
from celesta.workflows import exporting, publishing
from celesta.workflows.differences import difference
from celesta.workflows.models import WorkflowVersion

NEWEST_FIRST = Keyset(("number",), descending=True)
#: The largest number a version can have: a PostgreSQL integer.
LAST_NUMBER = 2**31 - 1
#: What a version can be read as.
FORMS = ("detail", "yaml", "json", "source", "python")
#: A bare document in JSON, to be told from a version in JSON.
DOCUMENT_TYPE = "application/vnd.celesta.workflow+json"


class VersionsView(WorkflowBase):
    """The versions of one workflow."""

    parser_classes = DOCUMENT_PARSERS
    roles = {"POST": Role.AUTHOR}

    @operation(
        "versions_list", "List versions, newest first",
        answers={200: page_of(VersionBrief)}, parameters=PAGING,
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Response:
        """List the versions without their documents."""
        rows = versions_of(self).defer("source", "document", "plan_json")
        return page(request, rows, NEWEST_FIRST, _shown)

    @operation(
        "versions_publish", "Publish a new version",
        body=DOCUMENT, answers={200: Published, 201: Published}, parameters=[etags.IF_MATCH],
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Publish a new version; 200 and the current one when the document equals it."""
        return publish_unchanged(self, request, self.workflow.name)


def versions_of(view: WorkflowBase) -> QuerySet[WorkflowVersion]:
    """The versions of the view's workflow."""
    visible: QuerySet[WorkflowVersion] = WorkflowVersion.objects.visible_to(view.principal)
    rows = visible.filter(workflow=view.workflow)
    return rows.select_related("created_by", "workflow__workspace").defer("workflow__draft")


def version_of(view: WorkflowBase, number: int) -> WorkflowVersion:
    """One version of the view's workflow; raises NotFound."""
    found = versions_of(view).filter(number=number).first() if number <= LAST_NUMBER else None
    if found is None:
        raise NotFound(f"Workflow {view.workflow.name!r} has no version {number}.")
    return found


def _shown(rows: list[WorkflowVersion]) -> Iterable[Any]:
    return VersionBrief(rows, many=True).data


class VersionView(WorkflowBase):
    """One version."""

    content_negotiation_class = raw.AnyAccept

    @operation(
        "versions_get", "Read a version, or export its document",
        answers={
            (200, "application/json"): VersionDetail,
            (200, DOCUMENT_TYPE): dict,
            (200, "application/yaml"): OpenApiTypes.ANY,
            (200, "text/plain"): str,
            304: None,
        },
        parameters=[
            etags.IF_NONE_MATCH,
            query(
                "as",
                "detail: the version; yaml, json, python: its document; source: its author's text.",
                enum=list(FORMS),
            )
        ],
    )  # fmt: skip
    def get(self, request: Request, name: str, number: int) -> Any:
        """Read a version, which never changes."""
        version = version_of(self, number)
        form = raw.choice(request, "as", FORMS)
        return etags.tagged(request, _exported(version, form), f'"{version.checksum}-{form}"')


def _exported(version: WorkflowVersion, form: str) -> Response | HttpResponse:
    """The version itself, or its document in one of its forms."""
    match form:
        case "yaml":
            return raw.text(exporting.as_yaml(version), "application/yaml")
        case "json":
            return raw.text(exporting.as_json(version), DOCUMENT_TYPE)
        case "python":
            return raw.text(exporting.as_python(version), "text/plain")
        case "source":
            return raw.text(version.source, "text/plain")
        case _:
            return Response(VersionDetail(version).data)


class DifferenceView(WorkflowBase):
    """What changed between two versions."""

    @operation(
        "versions_diff", "Compare with another version",
        answers={200: Difference},
        parameters=[query("against", "By default the one before.", whole(1, LAST_NUMBER))],
    )  # fmt: skip
    def get(self, request: Request, name: str, number: int) -> Response:
        """Tell what was done to ``against`` to get this version."""
        version = version_of(self, number)
        against = request.query_params.get("against", str(number - 1))
        if not against.isascii() or not against.isdigit() or len(against) > len(str(LAST_NUMBER)):
            raise InvalidQuery("'against' must be the number of a version.")
        found = difference(version_of(self, int(against)), version)
        return Response(Difference(found).data)


class RestoreView(WorkflowBase):
    """Brings an older version back."""

    roles = {"POST": Role.AUTHOR}

    @operation(
        "versions_restore", "Publish an older version again, as the newest",
        answers={200: Published, 201: Published},
    )  # fmt: skip
    def post(self, request: Request, name: str, number: int) -> Response:
        """Publish this version again."""
        return published(publishing.restore(version_of(self, number), by=request.user))
