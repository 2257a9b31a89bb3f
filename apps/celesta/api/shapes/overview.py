"""Figures over many runs on the wire. Durations are in seconds."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import Instant
from celesta.api.shapes.runs import NODE_STATES, RUN_STATES


class BoundedCount(serializers.Serializer[Any]):
    """A number of runs; counting stops at 1000, and ``more`` says that it did."""

    value = serializers.IntegerField(min_value=0)
    more = serializers.BooleanField()


class OpenRuns(serializers.Serializer[Any]):
    """Runs that are not over, by state."""

    pending = BoundedCount()
    running = BoundedCount()
    paused = BoundedCount()
    cancelling = BoundedCount()


class StartedBucket(serializers.Serializer[Any]):
    """The runs that began in one span of time."""

    begin = Instant()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By state.")


class RecentRuns(serializers.Serializer[Any]):
    """What became of the newest runs."""

    since = Instant(help_text="A day ago, or when the oldest of them began.")
    until = Instant()
    cut = serializers.BooleanField(help_text="True when there are more runs in that day.")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By state.")
    per_hour = serializers.FloatField()
    succeeded_share = serializers.FloatField(allow_null=True)
    median = serializers.FloatField(allow_null=True, help_text="Seconds.")
    p95 = serializers.FloatField(allow_null=True, help_text="Seconds.")
    bucket_seconds = serializers.FloatField(source="seconds")
    buckets = StartedBucket(many=True)


class WaitingQueue(serializers.Serializer[Any]):
    """What waits on a queue for a worker."""

    queue = serializers.CharField()
    hints = serializers.IntegerField()
    oldest = Instant()


class FailureGroup(serializers.Serializer[Any]):
    """Failed runs of one workflow that failed in the same way."""

    workflow = serializers.CharField()
    node = serializers.CharField(allow_blank=True)
    code = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    runs = serializers.IntegerField()
    last = Instant()
    last_run = serializers.UUIDField()


class SlowNodeShape(serializers.Serializer[Any]):
    """A node in the newest runs that ended."""

    workflow = serializers.CharField()
    node = serializers.CharField()
    times = serializers.IntegerField()
    mean = serializers.FloatField()
    longest = serializers.FloatField()
    waited = serializers.FloatField(help_text="From ready to running, on average.")


class OverviewShape(serializers.Serializer[Any]):
    """How everything in a workspace is doing."""

    open = OpenRuns()
    recent = RecentRuns()
    queues = WaitingQueue(many=True)
    failures = FailureGroup(many=True)
    slowest = SlowNodeShape(many=True)


class GridRun(serializers.Serializer[Any]):
    """One run of a grid."""

    id = serializers.UUIDField()
    version = serializers.IntegerField(source="version.number")
    state = serializers.ChoiceField(RUN_STATES)
    created_at = Instant()
    started_at = Instant(allow_null=True)
    finished_at = Instant(allow_null=True)


class GridLine(serializers.Serializer[Any]):
    """One node in each run of a grid, in the runs' order."""

    node = serializers.CharField()
    states = serializers.ListField(
        child=serializers.ChoiceField(NODE_STATES, allow_null=True),
        help_text="Null where the run's version does not have the node.",
    )


class GridShape(serializers.Serializer[Any]):
    """Runs of a workflow, oldest first, node by node."""

    runs = GridRun(many=True)
    nodes = GridLine(many=True)
