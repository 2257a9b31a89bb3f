"""Who leads, which workers there are, and what waits for them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from celesta.access.errors import RoleTooLow
from celesta.access.models import Role
from celesta.access.principals import Principal
from celesta.console.gate import page
from celesta.console.pages import show
from celesta.runs.cluster import cluster


@require_GET
@never_cache
@page
def workers(request: HttpRequest, principal: Principal) -> HttpResponse:
    """The workers, for those who are operators anywhere: they serve all workspaces."""
    if not any(principal.may(Role.OPERATOR, pk) for pk in principal.workspace_ids or [0]):
        raise RoleTooLow("This needs the role 'operator' in one of your workspaces.")
    return show(request, "workers.html", {"cluster": cluster()}, title="Workers", section="workers")
