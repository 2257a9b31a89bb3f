"""Templates of the catalogue on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import AnyJSON, Strict, Text
from celesta.api.shapes.graphs import GraphEdge


class TemplateShape(serializers.Serializer[Any]):
    """A workflow document to begin with."""

    name = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField(source="header.summary")
    audience = serializers.CharField(source="header.audience")
    tags = serializers.ListField(child=serializers.CharField())
    teaches = serializers.ListField(
        child=serializers.CharField(), source="header.teaches", help_text="What it shows."
    )
    code = serializers.ListField(
        child=serializers.CharField(),
        source="header.code",
        help_text="Modules with the functions or tasks that it calls; empty for most.",
    )


class TemplateNode(serializers.Serializer[Any]):
    """One node of a preview."""

    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    type = serializers.CharField()


class TemplateGraph(serializers.Serializer[Any]):
    """The nodes and edges of a template; both are empty when it cannot be compiled here."""

    nodes = TemplateNode(many=True)
    edges = GraphEdge(many=True)


class TemplateDetail(TemplateShape):
    """A template with its document and what to know before it is used."""

    description = serializers.CharField(allow_blank=True)
    change = serializers.ListField(
        child=serializers.CharField(), source="header.change", help_text="What to change first."
    )
    params_schema = AnyJSON(source="params")
    source = serializers.CharField(help_text="The document with its comments.")  # type: ignore[assignment]
    document = AnyJSON()
    graph = TemplateGraph()


class UseTemplate(Strict):
    """What a template is used for."""

    name = Text(max_length=200, help_text="Name of the workflow to make.")
