"""Which workspace a call is about."""

from __future__ import annotations

from typing import Final

from celesta.access.errors import NoWorkspace, WorkspaceNotFound, WorkspaceUnclear
from celesta.access.models import Workspace
from celesta.access.principals import Principal

DEFAULT: Final = "default"


def default() -> Workspace:
    """The workspace of those who need only one; made again if it was deleted."""
    workspace, _ = Workspace.objects.get_or_create(slug=DEFAULT, defaults={"name": "Default"})
    return workspace


def choose(principal: Principal, slug: str | None = None) -> Workspace:
    """The named workspace, else the principal's only one, else the default one.

    Raises WorkspaceNotFound for a name the principal may not see, NoWorkspace, WorkspaceUnclear.
    """
    visible = Workspace.objects.all()
    if not principal.everywhere:
        visible = visible.filter(pk__in=principal.workspace_ids)
    if slug:
        found = visible.filter(slug=slug).first()
        if found is None:
            raise WorkspaceNotFound
        return found
    return _only_or_default(list(visible[:2]), principal)


def _only_or_default(some: list[Workspace], principal: Principal) -> Workspace:
    if len(some) == 1:
        return some[0]
    if principal.everywhere:
        return default()
    if not some:
        raise NoWorkspace
    found = Workspace.objects.filter(pk__in=principal.workspace_ids, slug=DEFAULT).first()
    if found is None:
        raise WorkspaceUnclear
    return found
