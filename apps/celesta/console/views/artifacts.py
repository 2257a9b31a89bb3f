"""Files of runs: looked at in a sandbox, downloaded, deleted.

An artifact is of anybody's making, a page with scripts perhaps. Its bytes come with a policy that
puts them into an origin of their own without scripts, forms or requests, so that opened in a frame
or by its own address it can do nothing to the console.
"""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET, require_http_methods

from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.artifacts import serving, store
from celesta.artifacts.models import Artifact
from celesta.console.gate import abilities, page, require
from celesta.console.pages import show
from celesta.console.views.run import visible_run

POLICY: Final = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "media-src data:; frame-ancestors 'self'"
)
#: What is shown in the frame, and as what; everything else is downloaded.
SHOWN: Final = {
    "text/html": "text/html",
    "image/svg+xml": "image/svg+xml",
    "image/png": "image/png",
    "image/jpeg": "image/jpeg",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
    "text/plain": "text/plain",
    "text/csv": "text/plain",
    "text/markdown": "text/plain",
    "application/json": "text/plain",
    "application/yaml": "text/plain",
    "application/xml": "text/plain",
}
#: Larger files are only offered for download: a frame is for looking, not for 100 MB.
SHOWN_BYTES: Final = 5_000_000


@require_GET
@page
def artifact(request: HttpRequest, principal: Principal, artifact_id: int) -> HttpResponse:
    """The page of one file, with the file in a frame when it can be shown."""
    found = visible_artifact(principal, artifact_id)
    context = {
        "artifact": found,
        "run": visible_run(principal, found.run_id),
        "framed": media_type(found) in SHOWN and found.size <= SHOWN_BYTES,
        **abilities(principal, found.workspace),
    }
    return show(request, "artifact.html", context, title=found.name, section="runs")


@require_http_methods(["GET", "POST"])
@page
def delete(request: HttpRequest, principal: Principal, artifact_id: int) -> HttpResponse:
    """Ask, then delete."""
    found = visible_artifact(principal, artifact_id)
    require(principal, Role.OPERATOR, found.workspace)
    context = {"artifact": found, "run": visible_run(principal, found.run_id)}
    if request.method == "GET":
        return show(request, "artifact_delete.html", context, title="Delete file", section="runs")
    store.delete(found, by=principal.name)
    messages.success(request, f"{found.name} is deleted.")
    return redirect("celesta_console:run", found.run_id)


@require_GET
@xframe_options_sameorigin
@page
def content(request: HttpRequest, principal: Principal, artifact_id: int) -> HttpResponseBase:
    """The bytes: for the frame, or with ``?download=1`` as a file to save."""
    found = visible_artifact(principal, artifact_id)
    shown_as = SHOWN.get(media_type(found)) if "download" not in request.GET else None
    try:
        file = store.open_artifact(found)
    except store.ArtifactMissing as error:
        raise Http404(str(error)) from error
    charset = "; charset=utf-8" if shown_as and shown_as.startswith("text/") else ""
    answer = serving.in_pieces(
        request,
        file,
        as_attachment=shown_as is None,
        filename=found.name,
        content_type=f"{shown_as}{charset}" if shown_as else "application/octet-stream",
    )
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return answer


def visible_artifact(principal: Principal, artifact_id: int) -> Artifact:
    """The artifact; Http404 when it is not there for this principal."""
    rows = Artifact.objects.visible_to(principal).select_related("workspace")
    found: Artifact = get_object_or_404(rows, pk=min(artifact_id, 2**63 - 1))
    return found


def media_type(artifact: Artifact) -> str:
    """The content type without its parameters."""
    return artifact.content_type.partition(";")[0].strip().lower()
