"""What a role may do: each view says which role each of its methods needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from celesta.access import scopes
from celesta.access.errors import RoleTooLow, WorkflowOutOfReach
from celesta.access.models import Role

if TYPE_CHECKING:
    from celesta.api.base import BaseView


class HasRole(BasePermission):
    """The caller holds, in the workspace that the call is about, the role that the method needs."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """True, or raises: 401 for nobody, 404 for another workspace, 403 for too low a role."""
        if request.auth is None:
            raise NotAuthenticated("Send a token: 'Authorization: Bearer celesta_...'.")
        # HEAD is a GET without its body: what may not be read may not be weighed either.
        method = "GET" if request.method == "HEAD" else request.method
        role = view.roles.get(method, Role.VIEWER)
        self._demand(view, role)
        handler = getattr(view, (request.method or "").lower(), None)
        tag = getattr(getattr(handler, "takes", None), "tag", "")
        scopes.demand(view.principal.scopes, tag, writes=role is not Role.VIEWER)
        self._demand_workflow(request, view)
        return True

    def _demand_workflow(self, request: Request, view: BaseView) -> None:
        """Raise WorkflowOutOfReach for what a token limited to some workflows does not reach."""
        reached = view.principal.workflows
        if reached is None:
            return
        if request.method not in view.keeps_to_workflows:
            raise WorkflowOutOfReach
        named = view.named_workflow
        if named is not None and named not in reached:
            raise WorkflowOutOfReach(
                f"The token does not reach workflow {named!r}, only {', '.join(sorted(reached))}."
            )

    def _demand(self, view: BaseView, role: Role) -> None:
        workspace = view.workspace
        if not view.principal.may(role, workspace.pk):
            held = view.principal.roles.get(workspace.pk, "no role")
            raise RoleTooLow(
                f"This needs the role {role.value!r} in workspace {workspace.slug!r}; "
                f"you have {held!r} there."
            )
