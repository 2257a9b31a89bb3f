"""Which workspace a call is about; making, renaming and deleting workspaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.db.models import ProtectedError, QuerySet

from celesta.access import members
from celesta.access.errors import (
    NoWorkspace,
    SuperusersOnly,
    WorkspaceInUse,
    WorkspaceNotFound,
    WorkspaceUnclear,
)
from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal

DEFAULT: Final = "default"


def default() -> Workspace:
    """The workspace of those who need only one; made again if it was deleted."""
    workspace, _ = Workspace.objects.get_or_create(slug=DEFAULT, defaults={"name": "Default"})
    return workspace


def visible_to(principal: Principal) -> QuerySet[Workspace]:
    """The workspaces in which the principal has any role."""
    rows = Workspace.objects.all()
    return rows if principal.everywhere else rows.filter(pk__in=principal.workspace_ids)


def choose(principal: Principal, slug: str | None = None) -> Workspace:
    """The named workspace, else the principal's only one, else the default one.

    Raises WorkspaceNotFound for a name the principal may not see, NoWorkspace, WorkspaceUnclear.
    """
    visible = visible_to(principal)
    if slug:
        found = visible.filter(slug=slug).first()
        if found is None:
            raise WorkspaceNotFound
        return found
    return _only_or_default(list(visible[:2]), principal)


def create(principal: Principal, slug: str, name: str, roles: Mapping[str, str]) -> Workspace:
    """A new workspace; ``roles`` maps names of users to what they may do there.

    Raises SuperusersOnly, UserUnknown, and IntegrityError when the slug is taken.
    """
    _demand_superuser(principal)
    with transaction.atomic():
        workspace = Workspace.objects.create(slug=slug, name=name)
        for user, role in roles.items():
            members.add(workspace, user, Role(role))
    return workspace


def delete(principal: Principal, workspace: Workspace) -> None:
    """Delete a workspace with its variables, members and tokens.

    Raises SuperusersOnly, and WorkspaceInUse while it has workflows or runs.
    """
    _demand_superuser(principal)
    try:
        with transaction.atomic():
            workspace.delete()
    except ProtectedError as error:
        raise WorkspaceInUse from error


def _demand_superuser(principal: Principal) -> None:
    if not principal.superuser:
        raise SuperusersOnly


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
