"""Runs and what belongs to them on the wire."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from celesta.api.shapes.fields import AnyJSON, Flag, Instant, Strict, Text, Whole
from celesta.api.shapes.problems import ProblemDetails
from celesta.engine.rerun import Mode
from celesta.runs.states import NodeState, RunState

#: Outputs without the nodes to begin at.
NEEDS_START = "needs_start_at"
RUN_STATES = [state.value for state in RunState]
NODE_STATES = [state.value for state in NodeState]


class StartBody(Strict):
    """What a start takes."""

    params = serializers.DictField(
        child=AnyJSON(), default=dict, help_text="Checked against the workflow's schema."
    )
    version = Whole(
        default=None, allow_null=True, min_value=1, max_value=2**31 - 1,
        help_text="An older version to run; by default the current one.",
    )  # fmt: skip
    start_at = serializers.ListField(
        child=Text(max_length=220), default=list, max_length=1000,
        help_text="Start in the middle: only these nodes run, and all that comes after them.",
    )  # fmt: skip
    outputs = serializers.DictField(
        child=AnyJSON(), default=dict,
        help_text="With start_at: outputs of nodes that do not run, by their names.",
    )  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Outputs are for a start in the middle."""
        if attrs["outputs"] and not attrs["start_at"]:
            raise serializers.ValidationError(
                {
                    "outputs": [
                        ErrorDetail("Name the nodes to begin at in 'start_at', too.", NEEDS_START)
                    ]
                }
            )
        return attrs


class RerunBody(Strict):
    """What a rerun takes."""

    mode = serializers.ChoiceField(
        [mode.value for mode in Mode], default=Mode.FAILED.value,
        help_text="failed: what neither succeeded nor was skipped runs, with all that comes after "
        "it; nodes: those of 'nodes' besides; all: everything.",
    )  # fmt: skip
    nodes = serializers.ListField(
        child=Text(max_length=220), default=list, max_length=1000,
        help_text="With mode 'nodes': names of nodes that run in any case.",
    )  # fmt: skip
    outputs = serializers.DictField(
        child=AnyJSON(), default=dict, help_text="Outputs given instead of running these nodes."
    )
    version = Whole(
        default=None, allow_null=True, min_value=1, max_value=2**31 - 1,
        help_text="Another version of the workflow; by default the run's own.",
    )  # fmt: skip
    params = serializers.DictField(
        child=AnyJSON(), default=None, allow_null=True, help_text="By default the run's own."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nodes are named in their mode only."""
        if attrs["nodes"] and attrs["mode"] != Mode.NODES:
            told = ErrorDetail("Nodes are for the mode 'nodes'.", "needs_mode")
            raise serializers.ValidationError({"nodes": [told]})
        return attrs


class RerunForeseen(serializers.Serializer[Any]):
    """What a rerun would do: names of nodes, as the document has them."""

    again = serializers.ListField(child=serializers.CharField(), help_text="These would run.")
    kept = serializers.ListField(
        child=serializers.CharField(), help_text="These would keep what they ended with."
    )


class BulkItem(Strict):
    """One of many runs to be started."""

    params = serializers.DictField(child=AnyJSON(), default=dict)
    idempotency_key = Text(
        default=None, allow_null=True, max_length=255,
        validators=[RegexValidator(r"^[ -~]+\Z", "Printable ASCII characters only.")],
    )  # fmt: skip


class BulkBody(Strict):
    """Many runs of one workflow to be started."""

    runs = serializers.ListField(child=BulkItem(), min_length=1, max_length=1000)
    version = Whole(
        default=None, allow_null=True, min_value=1, max_value=2**31 - 1,
        help_text="An older version to run; by default the current one.",
    )  # fmt: skip
    atomic = Flag(default=False, help_text="Start all or none: one refusal undoes the others.")


class BulkResult(serializers.Serializer[Any]):
    """What became of one of them."""

    status = serializers.ChoiceField(
        [200, 201, 400, 409], help_text="201: new; 200: the run of that key; else refused."
    )
    id = serializers.UUIDField(allow_null=True, help_text="The run.")
    problem = ProblemDetails(allow_null=True)


class BulkStarted(serializers.Serializer[Any]):
    """What became of each, in the order of the request."""

    results = BulkResult(many=True)
    created = serializers.IntegerField()
    replayed = serializers.IntegerField(help_text="Found under their idempotency keys.")
    refused = serializers.IntegerField()


class RunBrief(serializers.Serializer[Any]):
    """A run, without its data."""

    id = serializers.UUIDField()
    workspace = serializers.CharField(source="workspace.slug")
    workflow = serializers.CharField(source="workflow.name")
    version = serializers.IntegerField(source="version.number")
    state = serializers.ChoiceField(RUN_STATES)
    trigger = serializers.CharField()
    trigger_ref = serializers.CharField(allow_blank=True)
    slot = Instant(
        allow_null=True, help_text="For the run of a schedule or backfill: which slot it is for,"
    )
    slot_from = Instant(allow_null=True, help_text="and the one before, where its data begin.")
    rerun_of = serializers.UUIDField(allow_null=True)
    created_by = serializers.CharField(allow_blank=True)
    created_at = Instant()
    started_at = Instant(allow_null=True)
    finished_at = Instant(allow_null=True)
    paused_at = Instant(allow_null=True, help_text="Since when it is paused.")


class RunDetail(RunBrief):
    """A run with its params, output and error."""

    params = AnyJSON()
    output = AnyJSON()
    error = AnyJSON()


class AwaitedRun(RunDetail):
    """A run after waiting for it."""

    reached = serializers.BooleanField(help_text="False when the time was up before.")


class CancelBody(Strict):
    """What a cancellation takes."""

    reason = Text(default="", allow_blank=True, max_length=500)


class NodeRunShape(serializers.Serializer[Any]):
    """One node of the run, in one scope (0 is the run itself; items of a map have their own)."""

    name = serializers.CharField()
    type = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    queue = serializers.CharField()
    node = serializers.IntegerField(help_text="Index in the plan.")
    scope = serializers.IntegerField()
    state = serializers.ChoiceField(NODE_STATES)
    attempt = serializers.IntegerField()
    losses = serializers.IntegerField(help_text="Attempts that ended with their worker.")
    via = serializers.CharField(allow_null=True, help_text="How it travelled.")
    worker = serializers.CharField(
        allow_null=True, help_text="Where it ran last: the worker's name, and the process."
    )
    ready_at = Instant(allow_null=True)
    started_at = Instant(allow_null=True)
    finished_at = Instant(allow_null=True)
    error = AnyJSON()


class NodeRunDetail(NodeRunShape):
    """The same with its output."""

    output = AnyJSON()


class EventShape(serializers.Serializer[Any]):
    """One line of a run's history."""

    id = serializers.IntegerField()
    at = Instant()
    kind = serializers.CharField()
    scope = serializers.IntegerField(allow_null=True)
    node = serializers.CharField(allow_null=True, help_text="Name of the node.")
    attempt = serializers.IntegerField(allow_null=True)
    data = AnyJSON()  # type: ignore[assignment]  # taken off by the metaclass


class StreamMessage(serializers.Serializer[Any]):
    """One message of a stream, in the form of Server-Sent Events."""

    id = serializers.CharField(help_text="Send it back as Last-Event-ID to go on behind it.")
    event = serializers.ChoiceField(["event", "log", "end"])
    data = serializers.CharField(  # type: ignore[assignment]  # taken off by the metaclass
        help_text="JSON; docs/api.md shows each kind."
    )


class LogLineShape(serializers.Serializer[Any]):
    """One line that a node logged or printed."""

    id = serializers.IntegerField(help_text="Rises with the order in which lines were stored.")
    at = Instant(help_text="By the worker's clock.")
    node = serializers.CharField()
    scope = serializers.IntegerField()
    attempt = serializers.IntegerField()
    level = serializers.CharField(help_text="INFO, WARNING, ...: as in Python's logging.")
    logger = serializers.CharField(help_text="stdout and stderr for what was printed.")
    text = serializers.CharField()
    dropped = serializers.IntegerField(
        help_text="More than 0 in the remark that says how many lines were not kept."
    )


class ArtifactShape(serializers.Serializer[Any]):
    """A file that a node saved."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    node = serializers.CharField(source="node_name")
    scope = serializers.IntegerField()
    attempt = serializers.IntegerField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    created_at = Instant()
    content = serializers.CharField(help_text="Address of the bytes.")
