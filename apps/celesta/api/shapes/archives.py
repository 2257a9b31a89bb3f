"""What an import finds and does, on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.problems import ProblemItem


class ImportedWorkflow(serializers.Serializer[Any]):
    """One workflow of the archive."""

    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(
        ["new", "identical", "changed", "invalid"], help_text="What it is to the workspace."
    )
    outcome = serializers.ChoiceField(
        ["published", "drafted", "unchanged", "skipped", "refused"],
        allow_null=True,
        help_text="What was done with it; null in a preview.",
    )
    versions = serializers.IntegerField(help_text="Versions of the archive to be published here.")
    version = serializers.IntegerField(
        allow_null=True, help_text="Number of the current version in the workspace."
    )
    problems = ProblemItem(many=True)


class Imported(serializers.Serializer[Any]):
    """An import, or what it would be."""

    preview = serializers.BooleanField()
    workflows = ImportedWorkflow(many=True)
