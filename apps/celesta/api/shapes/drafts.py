"""Drafts on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import Instant, Strict, Text


class DraftShape(serializers.Serializer[Any]):
    """What an author of the workflow goes on with."""

    workflow = serializers.CharField(source="workflow.name")
    source = serializers.CharField(
        source="draft.text",
        allow_blank=True,
        help_text="The text that is kept; what is published when no draft is.",
    )  # type: ignore[assignment]  # taken off by the metaclass
    kept = serializers.BooleanField(
        source="draft.kept", help_text="False when there is no draft, only what is published."
    )
    revision = serializers.IntegerField(
        source="draft.revision", help_text="Counts what was saved and published; in the ETag too."
    )
    saved_by = serializers.CharField(source="draft.by", allow_blank=True)
    saved_at = Instant(source="draft.at", allow_null=True)


class PublishDraft(Strict):
    """Why the draft is published."""

    note = Text(default="", allow_blank=True, max_length=500)
