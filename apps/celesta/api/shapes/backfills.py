"""Backfills on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import AnyJSON, Flag, Instant, Strict, Text, Whole
from celesta.triggers.backfills import MOST_ACTIVE, MOST_SLOTS, USUAL_SLOTS
from celesta.triggers.checks import MAX_EVERY
from celesta.triggers.models import Backfill, SlotState

EXISTING = list(Backfill.Existing.values)


class BackfillBody(Strict):
    """The slots of a schedule, or of a timing and a workflow, over a range of the past."""

    schedule = Whole(
        default=None, allow_null=True, min_value=1,
        help_text="Its id; workflow, timing and params are then those of the schedule.",
    )  # fmt: skip
    workflow = Text(default="", allow_blank=True, max_length=200, help_text="Instead of schedule.")
    cron = Text(default="", allow_blank=True, max_length=100)
    every = Whole(default=None, allow_null=True, min_value=1, max_value=MAX_EVERY)
    timezone = Text(default="UTC", max_length=63)
    anchor = Instant(default=None, allow_null=True)
    params = serializers.DictField(
        child=AnyJSON(), default=None, allow_null=True,
        help_text="May read the slot; by default those of the schedule.",
    )  # fmt: skip
    begin = Instant(help_text="Slots from here on,")
    until = Instant(help_text="up to here, both included; not in the future.")
    newest_first = Flag(default=False)
    max_active = Whole(
        default=10, min_value=1, max_value=MOST_ACTIVE, help_text="Runs of it open at once."
    )
    existing = serializers.ChoiceField(
        EXISTING, default=Backfill.Existing.SKIP.value,
        help_text="What becomes of slots that have a run already.",
    )  # fmt: skip
    max_slots = Whole(
        default=USUAL_SLOTS, min_value=1, max_value=MOST_SLOTS,
        help_text="Refuse a range with more slots.",
    )  # fmt: skip


class BackfillShape(serializers.Serializer[Any]):
    """A backfill and how far it is."""

    id = serializers.IntegerField()
    workflow = serializers.CharField(source="workflow.name")
    schedule = serializers.IntegerField(source="schedule_id", allow_null=True)
    cron = serializers.CharField(allow_blank=True)
    every = serializers.IntegerField(allow_null=True)
    timezone = serializers.CharField()
    anchor = Instant(allow_null=True)
    params = AnyJSON()
    begin = Instant()
    until = Instant()
    newest_first = serializers.BooleanField()
    max_active = serializers.IntegerField()
    existing = serializers.ChoiceField(EXISTING)
    state = serializers.ChoiceField(Backfill.State.values)
    total = serializers.IntegerField(help_text="Slots in all,")
    left = serializers.IntegerField(help_text="not dealt with yet,")
    started = serializers.IntegerField(help_text="that were started,")
    skipped = serializers.IntegerField(help_text="that had a run already,")
    refused = serializers.IntegerField(help_text="whose start was refused.")
    last_error = serializers.CharField(allow_blank=True)
    created_by = serializers.CharField()
    created_at = Instant()
    ended_at = Instant(allow_null=True, help_text="When its last slot was dealt with.")


class BackfillPreview(serializers.Serializer[Any]):
    """What a backfill would come to."""

    count = serializers.IntegerField(help_text="Slots in all,")
    existing = serializers.IntegerField(help_text="of which so many have a run already.")
    first = serializers.ListField(child=Instant())
    last = serializers.ListField(child=Instant())


class BackfillSlotShape(serializers.Serializer[Any]):
    """What became of one slot of a backfill."""

    number = serializers.IntegerField(help_text="In the order of the starts, from 0.")
    slot = Instant()
    state = serializers.ChoiceField(
        [SlotState.STARTED.value, SlotState.SKIPPED.value, SlotState.REFUSED.value],
        allow_blank=True, help_text="Empty until it was dealt with.",
    )  # fmt: skip
    run = serializers.UUIDField(source="run_id", allow_null=True)
    note = serializers.CharField(allow_blank=True)
