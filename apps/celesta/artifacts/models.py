"""Files that runs produce: their records. The bytes are in Django's storage."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

from django.db import models

from celesta.access.models import Workspace
from celesta.access.scoping import WorkspaceScoped
from celesta.runs.models import Run


class OfRuns(WorkspaceScoped):
    """Artifacts know their run by its id only."""

    def of_workflows(self, names: Collection[str]) -> Self:
        """Only those of runs of these workflows."""
        return self.filter(run_id__in=Run.objects.filter(workflow__name__in=names).values("pk"))


class Artifact(models.Model):
    """One file saved by one attempt of one node run."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="artifacts")
    run_id = models.UUIDField(db_index=True)
    scope = models.IntegerField(default=0)
    node = models.IntegerField()
    node_name = models.CharField(max_length=220)
    attempt = models.SmallIntegerField(default=1)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=500, help_text="Name within the storage.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OfRuns.as_manager()

    class Meta:
        db_table = "celesta_artifact"
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["run_id", "scope", "node", "attempt", "name"], name="celesta_artifact_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
