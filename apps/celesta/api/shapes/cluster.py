"""Leader, workers and queues on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import Instant


class LeaderShape(serializers.Serializer[Any]):
    """Which keeper leads; of the last one when none does."""

    holder = serializers.CharField(allow_blank=True, help_text="Host and process.")
    term = serializers.IntegerField(help_text="Rises with each change of the leader.")
    since = Instant(allow_null=True)
    until = Instant(help_text="When its term ends unless it goes on.")
    is_leading = serializers.BooleanField()


class PlacesShape(serializers.Serializer[Any]):
    """Slots in each condition."""

    name = serializers.CharField()
    slots = serializers.IntegerField(help_text="Those that are alive.")
    busy = serializers.IntegerField()
    idle = serializers.IntegerField()
    other = serializers.IntegerField(help_text="Busy with tasks that are not Celesta's.")
    lost = serializers.IntegerField(help_text="No sign of life since their lease ended.")


class WorkerShape(PlacesShape):
    """One worker."""

    queues = serializers.ListField(child=serializers.CharField())
    since = Instant(allow_null=True)


class QueueShape(PlacesShape):
    """One queue."""

    waiting = serializers.IntegerField(help_text="Messages that no worker has answered yet.")
    oldest = Instant(allow_null=True)


class ClusterShape(serializers.Serializer[Any]):
    """All of it."""

    leader = LeaderShape()
    workers = WorkerShape(many=True)
    queues = QueueShape(many=True)
