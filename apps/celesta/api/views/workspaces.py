"""Workspaces: list, make, read, rename, delete."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access import workspaces
from celesta.access.models import Role, Workspace
from celesta.access.principals import Principal
from celesta.api import asking
from celesta.api.base import BaseView
from celesta.api.pagination import Keyset, page
from celesta.api.recording import record
from celesta.api.refusals import NameTaken
from celesta.api.schema.operations import PAGING, operation, page_of
from celesta.api.shapes.workspaces import NewWorkspace, WorkspaceBody, WorkspaceShape

BY_SLUG = Keyset(("slug",))


def shown(principal: Principal, workspace: Workspace) -> dict[str, Any]:
    """A workspace with the caller's role in it; superusers are admins everywhere."""
    role = principal.roles.get(workspace.pk, Role.ADMIN.value)
    fields = {"slug": workspace.slug, "name": workspace.name, "created_at": workspace.created_at}
    return dict(WorkspaceShape({**fields, "role": role}).data)


class WorkspacesView(BaseView):
    """The workspaces that the caller sees."""

    keeps_to_workflows = frozenset({"GET", "HEAD"})
    roles = {"POST": Role.ADMIN}

    @cached_property
    def workspace(self) -> Workspace:
        """Any that the caller sees, since the list is about all of them; the named one if any."""
        if not self.named_workspace and (found := workspaces.visible_to(self.principal).first()):
            return found
        return workspaces.choose(self.principal, self.named_workspace)

    @operation(
        "workspaces_list", "List the workspaces that you see",
        answers={200: page_of(WorkspaceShape)}, parameters=PAGING,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List workspaces by slug, each with the caller's role; a token sees its own."""
        rows = workspaces.visible_to(self.principal)
        return page(request, rows, BY_SLUG, lambda some: [shown(self.principal, w) for w in some])

    @operation(
        "workspaces_create", "Create a workspace with its first members (superusers)",
        body=NewWorkspace, answers={201: WorkspaceShape},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Create a workspace; a token goes on to act in its own one only."""
        wanted = asking.body(request, NewWorkspace)
        slug = wanted["slug"]
        try:
            with transaction.atomic():
                made = workspaces.create(self.principal, slug, wanted["name"], wanted["members"])
        except IntegrityError as error:
            raise NameTaken(f"There is a workspace {slug!r} already.") from error
        record(request, made, "added")
        return Response(shown(self.principal, made), 201)


class WorkspaceBase(BaseView):
    """Anything about one workspace, which the address names."""

    @property
    def named_workspace(self) -> str:
        """The slug in the address, whatever a header says."""
        slug: str = self.kwargs["slug"]
        return slug


class WorkspaceView(WorkspaceBase):
    """One workspace."""

    keeps_to_workflows = frozenset({"GET", "HEAD"})
    roles = {"PUT": Role.ADMIN, "DELETE": Role.ADMIN}

    @operation("workspaces_get", "Read a workspace", answers={200: WorkspaceShape}, workspace=False)
    def get(self, request: Request, slug: str) -> Response:
        """Read a workspace."""
        return Response(shown(self.principal, self.workspace))

    @operation(
        "workspaces_put", "Rename a workspace",
        body=WorkspaceBody, answers={200: WorkspaceShape}, workspace=False,
    )  # fmt: skip
    def put(self, request: Request, slug: str) -> Response:
        """Give a workspace another name or slug; calls must name it by the new one at once."""
        body = asking.body(request, WorkspaceBody)
        renamed = self.workspace
        renamed.slug, renamed.name = body["slug"], body["name"]
        try:
            with transaction.atomic():
                renamed.save(update_fields=["slug", "name"])
        except IntegrityError as error:
            raise NameTaken(f"There is a workspace {renamed.slug!r} already.") from error
        record(request, renamed, "changed", "Slug", "Name")
        return Response(shown(self.principal, renamed))

    @operation(
        "workspaces_delete", "Delete a workspace without workflows (superusers)",
        answers={204: None}, workspace=False,
    )  # fmt: skip
    def delete(self, request: Request, slug: str) -> Response:
        """Delete a workspace with its variables, members and tokens; 409 if it has workflows."""
        with transaction.atomic():
            record(request, self.workspace, "deleted")
            workspaces.delete(self.principal, self.workspace)
        return Response(status=204)
