"""Dead letters, and verbs for many rows, on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import Flag, Identifier, Instant, Strict, Text, Whole
from celesta.api.shapes.runs import RUN_STATES
from celesta.engine.bulk import MOST
from celesta.engine.rerun import Mode
from celesta.runs.models import DeadLetter

LETTER_STATES = [state.value for state in DeadLetter.State]
LAST_ID = 2**63 - 1


class DeadLetterShape(serializers.Serializer[Any]):
    """A node whose failure failed its run."""

    id = serializers.IntegerField()
    run = serializers.UUIDField(source="run_id")
    workflow = serializers.CharField(source="workflow.name")
    node = serializers.CharField(source="name")
    attempt = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField(allow_blank=True)
    fingerprint = serializers.CharField(help_text="The same for failures that are alike.")
    state = serializers.ChoiceField(LETTER_STATES)
    at = Instant()
    decided_at = Instant(allow_null=True)
    decided_by = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    retried_as = serializers.UUIDField(allow_null=True, help_text="The run that retries it.")


class BulkVerb(Strict):
    """What every verb for many rows takes."""

    reason = Text(default="", allow_blank=True, max_length=500)
    dry_run = Flag(default=False, help_text="Count only, and do nothing.")
    limit = Whole(default=MOST, min_value=1, max_value=MOST)


class RunsFilter(Strict):
    """Which runs; at least one field."""

    ids = serializers.ListField(child=Identifier(), max_length=1000, required=False)
    state = serializers.ListField(
        child=serializers.ChoiceField(RUN_STATES), min_length=1, required=False
    )
    workflow = Text(max_length=200, required=False)
    created_after = Instant(required=False)
    created_before = Instant(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An empty filter would mean every run there is."""
        return _not_empty(attrs)


class RunsBulkBody(BulkVerb):
    """A verb for many runs."""

    verb = serializers.ChoiceField(["cancel", "pause", "resume", "rerun"])
    filter = RunsFilter()
    mode = serializers.ChoiceField(
        [Mode.FAILED.value, Mode.ALL.value], default=Mode.FAILED.value, help_text="Of a rerun."
    )
    cursor = Identifier(default=None, allow_null=True, help_text="Of the call before.")


class LettersFilter(Strict):
    """Which dead letters, of those that are open; at least one field."""

    ids = serializers.ListField(
        child=Whole(min_value=1, max_value=LAST_ID), max_length=1000, required=False
    )
    workflow = Text(max_length=200, required=False)
    code = Text(max_length=100, required=False)
    fingerprint = Text(max_length=16, required=False)
    since = Instant(required=False)
    before = Instant(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An empty filter would mean every dead letter there is."""
        return _not_empty(attrs)


class LettersBulkBody(BulkVerb):
    """A verb for many dead letters."""

    verb = serializers.ChoiceField(["retry", "discard"])
    filter = LettersFilter()
    cursor = Whole(
        default=None, allow_null=True, min_value=1, max_value=LAST_ID,
        help_text="Of the call before.",
    )  # fmt: skip


class BulkOutcome(serializers.Serializer[Any]):
    """What became of one row."""

    id = serializers.CharField()
    done = serializers.BooleanField()
    code = serializers.CharField(allow_null=True, help_text="Why it was refused.")
    detail = serializers.CharField(allow_blank=True)
    run = serializers.UUIDField(allow_null=True, help_text="The run that came of it.")


class BulkDone(serializers.Serializer[Any]):
    """What one call did, or with ``dry_run`` would do in all."""

    count = serializers.IntegerField(help_text="How many match, before anything was done.")
    more = serializers.BooleanField(help_text="True when there are more than were counted.")
    done = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BulkOutcome(many=True)
    cursor = serializers.CharField(
        allow_null=True, help_text="Send it with the next call; null when all was done."
    )


def _not_empty(attrs: dict[str, Any]) -> dict[str, Any]:
    if not attrs:
        raise serializers.ValidationError("Say which: an empty filter is refused.", "empty_filter")
    return attrs
