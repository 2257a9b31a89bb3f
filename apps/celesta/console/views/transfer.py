"""Many workflows at once: a page to export some, and to look at an archive before importing it."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from celesta import conf
from celesta.access import workspaces
from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal
from celesta.console.gate import page, require, user_of
from celesta.console.pages import show
from celesta.console.views.runs import workspaces_of
from celesta.graph.problems import Problem
from celesta.workflows import archive, importing
from celesta.workflows.errors import ArchiveInvalid
from celesta.workflows.importing import CHOICES
from celesta.workflows.models import Workflow
from celesta.workflows.unpacking import Archive, unpack

#: Workflows that the page lists one by one.
LISTED: Final = 500
#: Bytes left for the other fields of the form.
REST: Final = 64 * 1024


@require_GET
@page
def transfer(request: HttpRequest, principal: Principal) -> HttpResponse:
    """What can be exported, and where an archive is handed in."""
    workspace = _workspace(request, principal)
    rows = _workflows(principal, workspace).only("name", "title", "tags").order_by("name")
    found = list(rows[: LISTED + 1])
    return _shown(request, principal, workspace, workflows=found[:LISTED], more=len(found) > LISTED)


@require_GET
@page
def export(request: HttpRequest, principal: Principal) -> HttpResponse:
    """The archive of the chosen workflows, or of all when none is chosen."""
    workspace = _workspace(request, principal)
    rows = _workflows(principal, workspace)
    if names := request.GET.getlist("name"):
        rows = rows.filter(name__in=[name.replace("\x00", "") for name in names])
    if tag := request.GET.get("tag", "").replace("\x00", ""):
        rows = rows.filter(tags__contains=[tag])
    content = archive.pack(rows, history=request.GET.get("history") == "1")
    answer = HttpResponse(content, content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="workflows-{workspace.slug}.zip"'
    return answer


@require_http_methods(["GET", "POST"])
@page
def take(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Look at an archive; with the page's second button, import it."""
    workspace = _workspace(request, principal)
    require(principal, Role.AUTHOR, workspace)
    if request.method == "GET":  # reloaded, or an address that was kept
        return redirect(f"{reverse('celesta_console:transfer')}?workspace={workspace.slug}")
    history = request.POST.get("history") == "1"
    try:
        data = _data(request)
        found = unpack(data)
    except ArchiveInvalid as error:
        context: dict[str, Any] = {"refusal": error}
        return _shown(request, principal, workspace, status=error.status, **context)
    if request.POST.get("action") == "import":
        return _take(request, principal, workspace, found, history)
    looks = importing.preview(workspace, found, history=history)
    kept = urlsafe_b64encode(data).decode()
    return _shown(
        request, principal, workspace,
        looks=looks, history=history, choices=CHOICES,
        archive=kept if len(kept) <= _largest() else "",
        work=any(look.status in ("new", "changed") for look in looks),
    )  # fmt: skip


def _take(
    request: HttpRequest, principal: Principal, workspace: Workspace, found: Archive, history: bool
) -> HttpResponse:
    choices = {
        entry.name: asked
        for number, entry in enumerate(found.workflows)
        if (asked := request.POST.get(f"choice-{number}")) in CHOICES
    }
    taken = importing.take(workspace, found, by=user_of(request), choices=choices, history=history)
    done = sum(one.outcome in ("published", "drafted") for one in taken)
    messages.success(request, f"{done} of {len(taken)} workflows were imported.")
    links = dict(_workflows(principal, workspace).values_list("name", "pk"))
    rows = [(one, links.get(one.look.name)) for one in taken]
    return _shown(request, principal, workspace, taken=rows)


def _data(request: HttpRequest) -> bytes:
    """The archive: the uploaded file, or the one that the page of the preview carries along."""
    if upload := request.FILES.get("file"):
        limit = conf.get("IMPORT_MAX_BYTES")
        data: bytes = upload.read(limit + 1)
        return data
    try:
        return urlsafe_b64decode(request.POST.get("archive", "").encode("ascii"))
    except ValueError:
        return b""


def _largest() -> float:
    """How much a form may carry along: Django refuses more before any view sees it."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return float("inf") if limit is None else limit - REST


def _workspace(request: HttpRequest, principal: Principal) -> Workspace:
    slug = request.POST.get("workspace") or request.GET.get("workspace") or None
    return workspaces.choose(principal, slug)


def _workflows(principal: Principal, workspace: Workspace) -> QuerySet[Workflow]:
    visible: QuerySet[Workflow] = Workflow.objects.visible_to(principal)
    return visible.filter(workspace=workspace)


def _shown(
    request: HttpRequest,
    principal: Principal,
    workspace: Workspace,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    refusal: ArchiveInvalid | None = more.get("refusal")
    problems: list[Problem] = refusal.problems if refusal else []
    context = {
        "workspace": workspace,
        "workspaces": workspaces_of(principal),
        "may_author": principal.may(Role.AUTHOR, workspace.pk),
        "problems": problems,
        **more,
    }
    title = "Import and export"
    return show(request, "transfer.html", context, title=title, section="workflows", status=status)
