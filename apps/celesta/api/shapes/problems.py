"""The shape of errors, for the schema."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class ProblemItem(serializers.Serializer[Any]):
    """One thing that is wrong, where it is, and what to do."""

    path = serializers.CharField(help_text="Leads into the document or body: nodes.pay.needs[0]")
    code = serializers.CharField(help_text="Stable; programs may match on it.")
    message = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)
    severity = serializers.ChoiceField(["error", "warning"])
    line = serializers.IntegerField(allow_null=True)
    column = serializers.IntegerField(allow_null=True)


class ProblemDetails(serializers.Serializer[Any]):
    """Every error of this API (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; programs may match on it.")
    detail = serializers.CharField()
    errors = ProblemItem(many=True)  # type: ignore[assignment]  # taken off by the metaclass


class Validation(serializers.Serializer[Any]):
    """All that is wrong with a document, errors and warnings at once."""

    valid = serializers.BooleanField(help_text="True when the document could be published.")
    checksum = serializers.CharField(allow_blank=True)
    problems = ProblemItem(many=True)
