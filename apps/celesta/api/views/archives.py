"""Many workflows at once: out as an archive, in from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import asking, raw
from celesta.api.parsers import DOCUMENT_PARSERS, read_bounded
from celesta.api.refusals import MalformedBody, NotFound
from celesta.api.schema.operations import operation, query
from celesta.api.shapes.archives import Imported
from celesta.api.views.workflows import WorkflowView, workflows_of
from celesta.workflows import archive, importing
from celesta.workflows.importing import Look, Taken
from celesta.workflows.unpacking import unpack

ZIP = "application/zip"
HISTORY = query("history", "All versions (true, the default) or only current ones.", bool)


class ZipBody(BaseParser):
    """An archive of at most IMPORT_MAX_BYTES."""

    media_type = ZIP

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The bytes."""
        return read_bounded(stream, "IMPORT_MAX_BYTES", parser_context)


class ExportView(WorkflowView):
    """The export; a workflow that happens to be named ``export`` is published here as well."""

    content_negotiation_class = raw.AnyAnswer
    doubles = frozenset({"PUT"})

    @operation(
        "workflows_export", "Export workflows as one archive",
        answers={(200, ZIP): OpenApiTypes.BINARY},
        parameters=[
            query("name", "Names of workflows, with commas between; by default all."),
            query("tag", "Only workflows with this tag."),
            HISTORY,
        ],
    )  # fmt: skip
    def get(self, request: Request, name: str) -> HttpResponse:
        """Export the workflows of the workspace, those named, or those with a tag."""
        rows = workflows_of(self)
        if wanted := asking.words(request, "name"):
            rows = rows.filter(name__in=wanted)
            if missing := set(wanted) - set(rows.values_list("name", flat=True)):
                raise NotFound(f"There is no workflow {sorted(missing)[0]!r} here.")
        if tag := request.query_params.get("tag"):
            rows = rows.filter(tags__contains=[tag])
        history = asking.switch(request, "history") is not False
        file = f"workflows-{self.workspace.slug}.zip"
        return raw.file(archive.pack(rows, history=history), ZIP, file)


class ImportView(WorkflowView):
    """The import; a workflow that happens to be named ``import`` is read here as well."""

    parser_classes = [ZipBody, *DOCUMENT_PARSERS]
    roles = {"PUT": Role.AUTHOR, "POST": Role.AUTHOR}
    # An archive brings any workflow, whatever the address is called.
    keeps_to_workflows = frozenset({"GET", "HEAD", "PUT"})
    doubles = frozenset({"GET", "PUT"})

    @operation(
        "workflows_import", "Import an archive, or look at what importing it would do",
        body={ZIP: OpenApiTypes.BINARY}, answers={200: Imported},
        parameters=[
            query("preview", "true: change nothing, and say what would be done.", bool),
            query(
                "changed",
                "What becomes of workflows that are there in another version.",
                enum=["draft", "publish", "skip"],
            ),
            query("name", "Names of workflows, with commas between; by default all."),
            HISTORY,
        ],
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Import an archive, each workflow by itself: one that is refused stops no other."""
        body: Any = request.data
        if not isinstance(body, bytes):
            raise MalformedBody(f"Send the archive itself, as {ZIP}.")
        changed: Any = raw.choice(request, "changed", ("draft", "publish", "skip"))
        only = asking.words(request, "name") or None
        history = asking.switch(request, "history") is not False
        found = unpack(body)
        if asking.switch(request, "preview"):
            looks = importing.preview(self.workspace, found, history=history, only=only)
            return _answer([_look(look) for look in looks], preview=True)
        taken = importing.take(
            self.workspace, found, by=request.user, changed=changed, history=history, only=only
        )
        return _answer([_taken(one) for one in taken], preview=False)


def _answer(workflows: list[dict[str, Any]], *, preview: bool) -> Response:
    return Response(Imported({"preview": preview, "workflows": workflows}).data)


def _look(look: Look) -> dict[str, Any]:
    return {
        "name": look.name,
        "title": look.entry.title,
        "status": look.status,
        "outcome": None,
        "versions": len(look.ahead),
        "version": look.current,
        "problems": [found.as_dict() for found in look.problems],
    }


def _taken(taken: Taken) -> dict[str, Any]:
    return {
        **_look(taken.look),
        "outcome": taken.outcome,
        "version": taken.version,
        "problems": [found.as_dict() for found in taken.problems or taken.look.problems],
    }
