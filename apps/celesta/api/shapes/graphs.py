"""Graphs of runs on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import Instant
from celesta.api.shapes.runs import NODE_STATES, RUN_STATES


class GraphNode(serializers.Serializer[Any]):
    """One node of the graph with what became of it."""

    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    type = serializers.CharField()
    queue = serializers.CharField()
    state = serializers.ChoiceField(
        NODE_STATES, allow_null=True, help_text="Of many items the one that matters most."
    )
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many of its node runs are in which state."
    )
    body_of = serializers.CharField(allow_null=True, help_text="The map whose body this is.")
    compensates = serializers.CharField(allow_null=True)


class GraphEdge(serializers.Serializer[Any]):
    """One arrow."""

    source = serializers.CharField()  # type: ignore[assignment]  # taken off by the metaclass
    target = serializers.CharField()
    rule = serializers.CharField(help_text="Join rule of the target.")


class GraphShape(serializers.Serializer[Any]):
    """A run as a graph."""

    run = serializers.UUIDField()
    workflow = serializers.CharField()
    version = serializers.IntegerField()
    state = serializers.ChoiceField(RUN_STATES)
    nodes = GraphNode(many=True)
    edges = GraphEdge(many=True)


class CanvasNode(serializers.Serializer[Any]):
    """How one node travelled."""

    name = serializers.CharField()
    queue = serializers.CharField()
    state = serializers.ChoiceField(NODE_STATES, allow_null=True)
    via = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="task, chain, chord, group; continued: without a message of its own.",
    )


class TravellingHint(serializers.Serializer[Any]):
    """A message that should be travelling: for one node, or for one lane of a wave."""

    node = serializers.CharField(allow_null=True)
    scope = serializers.IntegerField(allow_null=True)
    wave = serializers.IntegerField(allow_null=True)
    queue = serializers.CharField()
    priority = serializers.IntegerField()
    released_at = Instant()
    sent_at = Instant()
    sends = serializers.IntegerField(help_text="More than 1: it was lost and sent again.")


class CanvasShape(serializers.Serializer[Any]):
    """How the nodes of a run travelled as Celery messages."""

    run = serializers.UUIDField()
    state = serializers.ChoiceField(RUN_STATES)
    via = serializers.DictField(child=serializers.IntegerField(), help_text="Totals.")
    nodes = CanvasNode(many=True)
    travelling = TravellingHint(many=True)
