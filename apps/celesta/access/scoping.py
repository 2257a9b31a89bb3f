"""The one way in which rows are filtered by workspace: ``Model.objects.visible_to(principal)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:
    from celesta.access.principals import Principal


class WorkspaceScoped(models.QuerySet[Any]):
    """A queryset that knows by which path its rows belong to a workspace."""

    workspace_path = "workspace"

    def visible_to(self, principal: Principal) -> Self:
        """Only rows of the workspaces in which the principal has any role."""
        if principal.everywhere:
            return self
        return self.filter(**{f"{self.workspace_path}__in": principal.workspace_ids})

    @classmethod
    def through(cls, path: str) -> models.Manager[Any]:
        """A manager for rows that reach their workspace by ``path`` (``workflow__workspace``)."""
        body = {"workspace_path": path, "__module__": __name__}
        scoped: type[WorkspaceScoped] = type("WorkspaceScoped", (cls,), body)
        return scoped.as_manager()
