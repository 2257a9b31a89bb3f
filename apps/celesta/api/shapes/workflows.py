"""Workflows, versions and node types on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import AnyJSON, Instant
from celesta.api.shapes.problems import ProblemItem


class VersionBrief(serializers.Serializer[Any]):
    """One version, without the document."""

    number = serializers.IntegerField()
    checksum = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    created_by = serializers.CharField(
        source="created_by.get_username", default=None, allow_null=True
    )
    created_at = Instant()


class VersionDetail(VersionBrief):
    """One version with its document, as normalised, and its text, as its author wrote it."""

    workflow = serializers.CharField(source="workflow.name")
    document = AnyJSON()
    source = serializers.CharField()  # type: ignore[assignment]  # taken off by the metaclass


class WorkflowShape(serializers.Serializer[Any]):
    """A workflow and which version new runs get."""

    name = serializers.CharField()
    workspace = serializers.CharField(source="workspace.slug")
    title = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField())
    active = serializers.BooleanField(help_text="Inactive workflows refuse new runs.")
    paused = serializers.BooleanField(
        help_text="Nothing starts a paused workflow by itself; by hand it starts."
    )
    version = serializers.IntegerField(source="current.number", default=None, allow_null=True)
    checksum = serializers.CharField(source="current.checksum", default=None, allow_null=True)
    created_at = Instant()
    updated_at = Instant()


class WorkflowDetail(WorkflowShape):
    """A workflow with the JSON Schema of its params."""

    params_schema = AnyJSON(help_text="What a start takes; empty before the first publication.")


class Published(serializers.Serializer[Any]):
    """What publishing led to."""

    workflow = WorkflowShape()
    version = VersionBrief()
    created = serializers.BooleanField(help_text="False when the document equals the current one.")
    warnings = ProblemItem(many=True)


class Difference(serializers.Serializer[Any]):
    """How two versions differ."""

    before = serializers.IntegerField()
    after = serializers.IntegerField()
    added = serializers.ListField(child=serializers.CharField(), help_text="Names of nodes.")
    removed = serializers.ListField(child=serializers.CharField())
    changed = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField(
        allow_blank=True, help_text="Unified diff of the documents (YAML)."
    )


class NodeTypeShape(serializers.Serializer[Any]):
    """A type that a document may name, and the JSON Schema of its ``with``."""

    name = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    schema = AnyJSON()
