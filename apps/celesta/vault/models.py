"""Values shared by the workflows of a workspace."""

from __future__ import annotations

from django.db import models

from celesta.access.models import Workspace
from celesta.access.scoping import WorkspaceScoped
from celesta.stored_json import StoredJSON


class Variable(models.Model):
    """A plain value that expressions read as ``vars.<name>``."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="variables")
    name = models.CharField(max_length=100)
    value = StoredJSON()
    description = models.CharField(max_length=500, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceScoped.as_manager()

    class Meta:
        db_table = "celesta_variable"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="celesta_variable_name")
        ]

    def __str__(self) -> str:
        return self.name
