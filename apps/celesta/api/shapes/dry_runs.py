"""Dry runs on the wire."""

from __future__ import annotations

from typing import Any, get_args

from rest_framework import serializers

from celesta.api.shapes.fields import AnyJSON, Strict, Text, Whole
from celesta.api.shapes.problems import ProblemItem
from celesta.engine.dry_run import Fate


class DryRunBody(Strict):
    """With what a published workflow is run dry."""

    params = serializers.DictField(child=AnyJSON(), default=dict)
    version = Whole(
        default=None, allow_null=True, min_value=1, max_value=2**31 - 1,
        help_text="By default the current one.",
    )  # fmt: skip


class DocumentDryRunBody(Strict):
    """A document that is not published, and with what it is run dry."""

    # The metaclass of serializers takes these attributes off: they hide nothing of the base.

    source = Text(help_text="The document as text.")  # type: ignore[assignment]  # see above
    format = serializers.ChoiceField(["yaml", "json"], default=None, allow_null=True)
    params = serializers.DictField(child=AnyJSON(), default=dict)


class DryRunNode(serializers.Serializer[Any]):
    """What would become of one node."""

    name = serializers.CharField(source="node.name")
    type = serializers.CharField(source="node.type")
    title = serializers.CharField(source="node.title", allow_blank=True)
    queue = serializers.CharField(source="node.queue")
    fate = serializers.ChoiceField(
        get_args(Fate),
        help_text="runs, if those before it succeed; skipped; fails; depends on what is not "
        "known beforehand; undo: runs only if what it compensates has to be undone.",
    )
    reason = serializers.CharField(allow_blank=True)
    code = serializers.CharField(allow_blank=True, help_text="Of the error with which it fails.")
    wave = serializers.IntegerField(
        source="at", allow_null=True, help_text="From 1; null when it does not run."
    )
    items = serializers.IntegerField(allow_null=True, help_text="Of a map, when they are known.")
    config = AnyJSON(help_text="Its 'with', resolved; null when not all of it is known.")
    known = serializers.BooleanField(help_text="Whether its output follows from the params.")
    output = AnyJSON(help_text="Its output, when that is known.")


class DryRunShape(serializers.Serializer[Any]):
    """What a run would do."""

    params = AnyJSON(help_text="With defaults filled in.")
    waves = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Names of the nodes that run or may run, in the order in which they get ready.",
    )
    nodes = DryRunNode(many=True, source="steps")
    warnings = ProblemItem(many=True)
