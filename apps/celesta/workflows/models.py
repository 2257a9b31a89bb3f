"""Definitions at rest: workflows and their immutable versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from celesta.access.models import Workspace
from celesta.access.scoping import WorkspaceScoped
from celesta.stored_json import StoredJSON

if TYPE_CHECKING:
    from celesta.graph.plan import Plan


class Workflow(models.Model):
    """A named workflow; what it does is in its versions."""

    workspace = models.ForeignKey(Workspace, models.PROTECT, related_name="workflows")
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    active = models.BooleanField(default=True, help_text="Inactive workflows refuse new runs.")
    paused = models.BooleanField(
        default=False, help_text="Nothing starts a paused workflow by itself; by hand it starts."
    )
    current = models.ForeignKey(
        "WorkflowVersion", models.PROTECT, null=True, blank=True, related_name="+"
    )
    draft = models.TextField(blank=True, help_text="The document being edited (YAML).")
    draft_revision = models.PositiveIntegerField(
        default=0, help_text="Counts saved drafts and publications: who edits an old one is told."
    )
    draft_at = models.DateTimeField(null=True, blank=True)
    draft_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WorkspaceScoped.through("workspace", "name")

    class Meta:
        db_table = "celesta_workflow"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="celesta_workflow_name")
        ]

    def __str__(self) -> str:
        return self.title or self.name


class WorkflowVersion(models.Model):
    """One published document and its compiled plan. The database refuses changes to it."""

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    checksum = models.CharField(max_length=64)
    source = models.TextField(help_text="The document as its author wrote it.")
    document = StoredJSON(help_text="The normalised document.")
    plan_json = StoredJSON()
    note = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceScoped.through("workflow__workspace", "workflow__name")

    class Meta:
        db_table = "celesta_workflow_version"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["workflow", "number"], name="celesta_version_number")
        ]

    def __str__(self) -> str:
        return f"{self.workflow.name} v{self.number}"

    @property
    def plan(self) -> Plan:
        """The compiled plan (parsed anew at each call; workers keep their own cache)."""
        from celesta.graph.plan import Plan

        return Plan.from_json(self.plan_json)


class PlanNodeRow(models.Model):
    """The part of a plan's node that the database itself needs to move a run forward."""

    pk = models.CompositePrimaryKey("version_id", "node")
    version = models.ForeignKey(WorkflowVersion, models.CASCADE, related_name="+", db_index=False)
    node = models.IntegerField()
    name = models.CharField(max_length=220)
    queue = models.CharField(max_length=200)
    priority = models.SmallIntegerField()
    gate = models.IntegerField()
    feeds = ArrayField(models.IntegerField())
    follower = models.IntegerField(
        null=True, help_text="The one node that this one's success alone releases, if it is so."
    )
    refs = ArrayField(models.IntegerField())
    uses_params = models.BooleanField()
    handled = models.BooleanField()
    last_resort = models.BooleanField(default=False)
    auto = models.BooleanField()
    root = models.BooleanField(help_text="Released by the start of the run.")
    body = models.IntegerField()
    body_of = models.IntegerField()
    compensates = models.IntegerField(help_text="The node that this one undoes; -1 for none.")
    detached = models.BooleanField(help_text="Not part of the forward pass (map body, undo).")

    class Meta:
        db_table = "celesta_plan_node"

    def __str__(self) -> str:
        return self.name


class PlanGateRow(models.Model):
    """A gate of a plan: how many ends it counts, under which rule, and whom it releases."""

    pk = models.CompositePrimaryKey("version_id", "gate")
    version = models.ForeignKey(WorkflowVersion, models.CASCADE, related_name="+", db_index=False)
    gate = models.IntegerField()
    rule = models.CharField(max_length=16)
    total = models.IntegerField()
    nodes = ArrayField(models.IntegerField())

    class Meta:
        db_table = "celesta_plan_gate"

    def __str__(self) -> str:
        return f"{self.rule} of {self.total}"
