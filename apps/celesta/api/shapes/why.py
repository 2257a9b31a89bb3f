"""Why a node does not run, on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import AnyJSON, Instant
from celesta.api.shapes.runs import NODE_STATES


class CauseShape(serializers.Serializer[Any]):
    """One cause."""

    code = serializers.CharField(help_text="Stable; docs/operating.md lists them.")
    message = serializers.CharField(help_text="For people.")
    since = Instant(allow_null=True)
    until = Instant(allow_null=True, help_text="When it ends by itself.")
    details = AnyJSON()


class WhyShape(serializers.Serializer[Any]):
    """A node of a run, and why it does not run."""

    node = serializers.CharField()
    scope = serializers.IntegerField()
    state = serializers.ChoiceField(NODE_STATES)
    causes = CauseShape(many=True)
