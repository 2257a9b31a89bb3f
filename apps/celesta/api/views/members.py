"""Members of a workspace: list, add, give another role, remove."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.db import IntegrityError, transaction
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access import members
from celesta.access.models import Membership, Role
from celesta.api import asking
from celesta.api.pagination import Keyset, page
from celesta.api.recording import record
from celesta.api.refusals import NameTaken, NotFound
from celesta.api.schema.operations import PAGING, operation, page_of
from celesta.api.shapes.workspaces import MemberRole, MemberShape, NewMember
from celesta.api.views.workspaces import WorkspaceBase

AS_THEY_CAME = Keyset(("id",))


class MembersView(WorkspaceBase):
    """The members of one workspace."""

    roles = {"POST": Role.ADMIN}

    @operation(
        "members_list", "List the members of a workspace",
        answers={200: page_of(MemberShape)}, parameters=PAGING, workspace=False,
    )  # fmt: skip
    def get(self, request: Request, slug: str) -> Response:
        """List members in the order in which they came; superusers need not be among them."""
        rows = Membership.objects.filter(workspace=self.workspace).select_related("user")
        return page(request, rows, AS_THEY_CAME, _shown)

    @operation(
        "members_add", "Make a user a member",
        body=NewMember, answers={201: MemberShape}, workspace=False,
    )  # fmt: skip
    def post(self, request: Request, slug: str) -> Response:
        """Add a member, who needs an account already."""
        body = asking.body(request, NewMember)
        user, role = body["user"], Role(body["role"])
        try:
            with transaction.atomic():
                made = members.add(self.workspace, user, role)
        except IntegrityError as error:
            raise NameTaken(f"{user!r} is a member already; PUT changes the role.") from error
        record(request, self.workspace, "added", part=made)
        return Response(MemberShape(made).data, 201)


def _shown(rows: list[Membership]) -> Iterable[Any]:
    return MemberShape(rows, many=True).data


class MemberView(WorkspaceBase):
    """One member."""

    roles = {"PUT": Role.ADMIN, "DELETE": Role.ADMIN}

    @cached_property
    def member(self) -> Membership:
        """The membership that the address names; raises NotFound."""
        found = members.find(self.workspace, self.kwargs["user"])
        if found is None:
            raise NotFound(
                f"{self.kwargs['user']!r} is no member of workspace {self.workspace.slug!r}."
            )
        return found

    @operation("members_get", "Read a member", answers={200: MemberShape}, workspace=False)
    def get(self, request: Request, slug: str, user: str) -> Response:
        """Read a member's role."""
        return Response(MemberShape(self.member).data)

    @operation(
        "members_put", "Give a member another role",
        body=MemberRole, answers={200: MemberShape}, workspace=False,
    )  # fmt: skip
    def put(self, request: Request, slug: str, user: str) -> Response:
        """Change the role; the member's tokens have no more than that from now on."""
        body = asking.body(request, MemberRole)
        changed = members.change(self.member, Role(body["role"]))
        record(request, self.workspace, "changed", "Role", part=changed)
        return Response(MemberShape(changed).data)

    @operation("members_remove", "Remove a member", answers={204: None}, workspace=False)
    def delete(self, request: Request, slug: str, user: str) -> Response:
        """Remove a member, whose tokens for this workspace answer 401 from now on."""
        record(request, self.workspace, "deleted", part=self.member)
        self.member.delete()
        return Response(status=204)
