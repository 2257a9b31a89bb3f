"""The one way in which rows are filtered by workspace: ``Model.objects.visible_to(principal)``."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Self

from django.db import models

if TYPE_CHECKING:
    from celesta.access.principals import Principal


class WorkspaceScoped(models.QuerySet[Any]):
    """A queryset that knows by which paths its rows belong to a workspace and to a workflow."""

    workspace_path = "workspace"
    #: Leads to the name of the workflow; empty for rows that belong to none.
    workflow_path = ""

    def visible_to(self, principal: Principal) -> Self:
        """Only rows of the workspaces in which the principal has any role, and of the workflows to
        which it may be limited."""
        rows = self if principal.workflows is None else self.of_workflows(principal.workflows)
        if principal.everywhere:
            return rows
        return rows.filter(**{f"{self.workspace_path}__in": principal.workspace_ids})

    def of_workflows(self, names: Collection[str]) -> Self:
        """Only rows of workflows with these names: none of what belongs to the whole workspace."""
        if not self.workflow_path:
            return self.none()
        return self.filter(**{f"{self.workflow_path}__in": names})

    @classmethod
    def through(cls, path: str, workflow: str = "") -> models.Manager[Any]:
        """A manager for rows that reach their workspace by ``path`` (``workflow__workspace``).

        ``workflow`` leads to the name of their workflow, if they have one.
        """
        body = {"workspace_path": path, "workflow_path": workflow, "__module__": __name__}
        scoped: type[WorkspaceScoped] = type("WorkspaceScoped", (cls,), body)
        return scoped.as_manager()
