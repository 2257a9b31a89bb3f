"""Schedules on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from celesta.api.shapes.fields import AnyJSON, Flag, Instant, Strict, Text, Whole
from celesta.triggers.checks import MAX_EVERY, MAX_JITTER, MAX_SLOTS
from celesta.triggers.models import Schedule, ScheduleSlot, SlotState

CATCH_UP = list(Schedule.CatchUp.values)
OVERLAP = list(Schedule.Overlap.values)


class TimingBody(Strict):
    """When something is due: a cron expression in a zone, an interval, or once; within bounds."""

    cron = Text(
        default="", allow_blank=True, max_length=100,
        help_text="minute hour day month weekday, or an alias such as @daily",
    )  # fmt: skip
    every = Whole(
        default=None, allow_null=True, min_value=1, max_value=MAX_EVERY,
        help_text="Seconds between slots, instead of cron.",
    )  # fmt: skip
    at = Instant(default=None, allow_null=True, help_text="Once, at this instant, instead of both.")
    timezone = Text(default="UTC", max_length=63, help_text="For cron: Europe/Berlin.")
    anchor = Instant(default=None, allow_null=True, help_text="Where intervals count from.")
    starts_at = Instant(default=None, allow_null=True, help_text="No slots before.")
    ends_at = Instant(default=None, allow_null=True, help_text="No slots after.")


class ScheduleBody(TimingBody):
    """A schedule to be made or to be put in place of another."""

    name = Text(max_length=200)
    workflow = Text(max_length=200, help_text="Name of the workflow that it starts.")
    params = serializers.DictField(
        child=AnyJSON(), default=dict, help_text="Checked against the workflow's schema."
    )
    jitter = Whole(
        default=0, min_value=0, max_value=MAX_JITTER,
        help_text="Seconds by which a start may be later than its slot.",
    )  # fmt: skip
    overlap = serializers.ChoiceField(
        OVERLAP, default=Schedule.Overlap.ALLOW.value,
        help_text="What a slot does while a run of the schedule has not ended.",
    )  # fmt: skip
    queue_limit = Whole(
        default=10, min_value=1, max_value=MAX_SLOTS, help_text="For 'queue': slots that may wait."
    )
    catch_up = serializers.ChoiceField(
        CATCH_UP, default=Schedule.CatchUp.LAST.value, help_text="Which missed slots are started."
    )
    catch_up_limit = Whole(
        default=100, min_value=1, max_value=MAX_SLOTS,
        help_text="For 'all': how many missed slots are started at most; the newest.",
    )  # fmt: skip
    enabled = Flag(default=True)


class ScheduleShape(serializers.Serializer[Any]):
    """A schedule and where it stands."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    workflow = serializers.CharField(source="workflow.name")
    cron = serializers.CharField(allow_blank=True)
    every = serializers.IntegerField(allow_null=True)
    at = Instant(allow_null=True)
    timezone = serializers.CharField()
    anchor = Instant(allow_null=True)
    starts_at = Instant(allow_null=True)
    ends_at = Instant(allow_null=True)
    params = AnyJSON()
    jitter = serializers.IntegerField()
    overlap = serializers.ChoiceField(OVERLAP)
    queue_limit = serializers.IntegerField()
    catch_up = serializers.ChoiceField(CATCH_UP)
    catch_up_limit = serializers.IntegerField()
    enabled = serializers.BooleanField()
    paused = serializers.BooleanField(
        source="held",
        help_text="It or its workflow is paused: nothing starts until both go on.",
    )
    workflow_paused = serializers.BooleanField(source="workflow.paused")
    next_at = Instant(
        source="next_start",
        allow_null=True,
        help_text="The next start; null while disabled or paused, and when none is left.",
    )
    last_error = serializers.CharField(
        allow_blank=True, help_text="Why the last slot started nothing; empty when it did."
    )
    created_at = Instant()


class SlotShape(serializers.Serializer[Any]):
    """What became of one slot."""

    slot = Instant()
    state = serializers.ChoiceField(SlotState.values)
    origin = serializers.ChoiceField(ScheduleSlot.Origin.values, help_text="Who asked for the run.")
    run = serializers.UUIDField(source="run_id", allow_null=True)
    note = serializers.CharField(allow_blank=True, help_text="Why it started nothing, or late.")
    at = Instant(help_text="When it was dealt with first.")


class NextSlots(serializers.Serializer[Any]):
    """The next slots of a timing."""

    slots = serializers.ListField(child=Instant())
