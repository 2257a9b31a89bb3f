"""The catalogue of templates: cards to choose from, one template's page, a workflow made of it."""

from __future__ import annotations

from collections import Counter

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from celesta.access import workspaces
from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.drawing.pictures import picture
from celesta.console.gate import page, require, user_of
from celesta.console.pages import show
from celesta.console.showing.params import rows_of
from celesta.console.views.runs import workspaces_of
from celesta.graph.problems import DocumentInvalid
from celesta.workflows import catalogue
from celesta.workflows.catalogue import Template
from celesta.workflows.errors import WorkflowExists


@require_GET
@page
def templates(request: HttpRequest, principal: Principal) -> HttpResponse:
    """All templates, or those that fit audience, tag and words."""
    asked = {name: request.GET.get(name, "") for name in ("audience", "tag", "search")}
    found = catalogue.find(audience=asked["audience"], tag=asked["tag"], words=asked["search"])
    audiences = Counter(one.header.audience for one in catalogue.everything().values())
    context = {
        "cards": [(one, picture(one.plan) if one.plan else None) for one in found],
        "asked": asked,
        "audiences": sorted(audiences.items()),
    }
    return show(request, "templates.html", context, title="Templates", section="templates")


@require_http_methods(["GET", "POST"])
@page
def template(request: HttpRequest, principal: Principal, name: str) -> HttpResponse:
    """Read a template; by POST, make a workflow of it and go on in the editor."""
    found = catalogue.get(name)
    slug = request.POST.get("workspace") or request.GET.get("workspace") or None
    if request.method == "GET":
        return _shown(request, principal, found, found.document["workflow"].rpartition(".")[2])
    workspace = workspaces.choose(principal, slug)
    require(principal, Role.AUTHOR, workspace)
    wanted = request.POST.get("name", "").strip()
    try:
        made = catalogue.use(workspace, found, wanted, by=user_of(request))
    except DocumentInvalid as error:
        first = error.problems[0]
        return _shown(request, principal, found, wanted, f"{first.message} {first.hint}")
    except WorkflowExists as error:
        return _shown(request, principal, found, wanted, error.detail)
    messages.success(request, "The workflow is made; this is its draft. Publish it to run it.")
    return redirect("celesta_console:edit", made.pk)


def _shown(
    request: HttpRequest, principal: Principal, found: Template, name: str, wrong: str = ""
) -> HttpResponse:
    if principal.everywhere:
        workspaces.default()  # made again if somebody deleted it
    mine = [w for w in workspaces_of(principal) if principal.may(Role.AUTHOR, w.pk)]
    context = {
        "template": found,
        "picture": picture(found.plan) if found.plan else None,
        "params": rows_of(found.params),
        "lines": found.source.rstrip("\n").split("\n"),
        "workspaces": mine,
        "name": name,
        "wrong": wrong,
    }
    status = 400 if wrong else 200
    title = found.title
    return show(request, "template.html", context, title=title, section="templates", status=status)
