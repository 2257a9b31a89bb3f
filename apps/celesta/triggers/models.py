"""How runs begin by themselves."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q

from celesta.access.models import Workspace
from celesta.access.scoping import WorkspaceScoped
from celesta.stored_json import StoredJSON
from celesta.triggers.recurrence import Recurrence
from celesta.triggers.timing import Timing
from celesta.workflows.models import Workflow


class Schedule(models.Model):
    """Starts a workflow by cron expression or interval, in a time zone, once per slot; or once.

    A slot is an instant at which the schedule is due. ``cursor`` is the last slot dealt with: the
    due slots are always computed from it under a row lock, so a tick of beat is only a hint.
    """

    class CatchUp(models.TextChoices):
        """What happens to slots that were missed while nothing was there to start them."""

        LAST = "last", "Start only the last one"
        ALL = "all", "Start every one"
        NONE = "none", "Start none"

    class Overlap(models.TextChoices):
        """What happens to a slot while a run of the schedule has not ended."""

        ALLOW = "allow", "Start beside it"
        SKIP = "skip", "Skip the slot"
        QUEUE = "queue", "Start when it has ended"
        CANCEL_OTHER = "cancel_other", "Cancel it and start"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="schedules")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=200)
    cron = models.CharField(max_length=100, blank=True, help_text="minute hour day month weekday")
    every = models.PositiveIntegerField(null=True, blank=True, help_text="Seconds between slots.")
    at = models.DateTimeField(null=True, blank=True, help_text="Once, at this instant.")
    timezone = models.CharField(max_length=63, default="UTC")
    params = StoredJSON(default=dict, blank=True)
    enabled = models.BooleanField(default=True)
    paused = models.BooleanField(
        default=False, help_text="Starts nothing; when it goes on, the catch-up policy decides."
    )
    starts_at = models.DateTimeField(null=True, blank=True, help_text="No slots before.")
    ends_at = models.DateTimeField(null=True, blank=True, help_text="No slots after.")
    jitter = models.PositiveIntegerField(
        default=0, help_text="Seconds by which a start may be later than its slot."
    )
    overlap = models.CharField(max_length=12, choices=Overlap.choices, default=Overlap.ALLOW)
    queue_limit = models.PositiveIntegerField(default=10, help_text="Slots that may wait.")
    catch_up = models.CharField(max_length=8, choices=CatchUp.choices, default=CatchUp.LAST)
    catch_up_limit = models.PositiveIntegerField(
        default=100, help_text="Missed slots that are started at most; the newest."
    )
    cursor = models.DateTimeField(null=True, blank=True)
    anchor = models.DateTimeField(null=True, blank=True, help_text="Where intervals count from.")
    next_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="The next start; none while disabled."
    )
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceScoped.through("workspace", "workflow__name")

    class Meta:
        db_table = "celesta_schedule"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="celesta_schedule_name"),
            models.CheckConstraint(
                condition=Q(cron="", every__isnull=False, at__isnull=True)
                | Q(cron="", every__isnull=True, at__isnull=False)
                | (~Q(cron="") & Q(every__isnull=True, at__isnull=True)),
                name="celesta_schedule_one_timing",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def timing(self) -> Timing:
        """When it is due."""
        return Timing(self.cron, self.every, self.timezone, self.anchor, self.at)

    @property
    def recurrence(self) -> Recurrence:
        """Its slots: the timing within its bounds, and when each is to start."""
        seed = str(self.pk or "")
        return Recurrence(self.timing, self.starts_at, self.ends_at, self.jitter, seed)

    @property
    def held(self) -> bool:
        """True while it or its workflow is paused."""
        return self.paused or self.workflow.paused

    @property
    def next_start(self) -> datetime | None:
        """When something starts next; none while disabled, ended or paused."""
        return None if self.held else self.next_at


class SlotState(models.TextChoices):
    """What became of a slot."""

    STARTED = "started", "Started"
    QUEUED = "queued", "Queued"
    SKIPPED = "skipped", "Skipped"
    MISSED = "missed", "Missed"
    REFUSED = "refused", "Refused"


class ScheduleSlot(models.Model):
    """A slot that was dealt with: the unique pair makes two beats start it once."""

    class Origin(models.TextChoices):
        """Who asked for its run."""

        SCHEDULE = "schedule", "The schedule"
        MANUAL = "manual", "Run now"
        BACKFILL = "backfill", "A backfill"

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="slots")
    slot = models.DateTimeField()
    state = models.CharField(max_length=8, choices=SlotState.choices, default=SlotState.STARTED)
    origin = models.CharField(max_length=8, choices=Origin.choices, default=Origin.SCHEDULE)
    active = models.BooleanField(
        default=False, help_text="Its run was not seen ended; the overlap policy looks at it."
    )
    run_id = models.UUIDField(null=True, help_text="Empty when the slot was skipped or failed.")
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "celesta_schedule_slot"
        ordering = ["-slot"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "slot"], name="celesta_slot_once")
        ]
        indexes = [
            models.Index(
                fields=["schedule", "slot"], condition=Q(state="queued"), name="celesta_slot_queued"
            ),
            models.Index(fields=["schedule"], condition=Q(active=True), name="celesta_slot_active"),
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} at {self.slot.isoformat()}"


class Backfill(models.Model):
    """Runs for slots of the past: of a schedule, or of a timing given for this once.

    Its slots are written when it is made; the leader starts them in chunks, never more than
    ``max_active`` at once.
    """

    class State(models.TextChoices):
        """Where it is."""

        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        FINISHED = "finished", "Finished"
        CANCELLED = "cancelled", "Cancelled"

    class Existing(models.TextChoices):
        """What happens to slots that have a run already."""

        SKIP = "skip", "Leave them"
        RERUN = "rerun", "Run them again"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="backfills")
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="backfills")
    schedule = models.ForeignKey(Schedule, models.SET_NULL, null=True, related_name="backfills")
    cron = models.CharField(max_length=100, blank=True)
    every = models.PositiveIntegerField(null=True)
    timezone = models.CharField(max_length=63, default="UTC")
    anchor = models.DateTimeField(null=True)
    params = StoredJSON(default=dict)
    begin = models.DateTimeField(help_text="Slots from here on,")
    until = models.DateTimeField(help_text="up to here, both included.")
    newest_first = models.BooleanField(default=False)
    max_active = models.PositiveIntegerField(default=10)
    existing = models.CharField(max_length=8, choices=Existing.choices, default=Existing.SKIP)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    total = models.PositiveIntegerField(default=0)
    #: How many of its slots, in its order, were dealt with.
    cursor = models.PositiveIntegerField(default=0)
    started = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, help_text="When its last slot was dealt with.")

    objects = WorkspaceScoped.through("workspace", "workflow__name")

    class Meta:
        db_table = "celesta_backfill"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="running"), name="celesta_backfill_going")
        ]

    def __str__(self) -> str:
        return f"backfill {self.pk}"

    @property
    def timing(self) -> Timing:
        """Of which its slots are."""
        return Timing(self.cron, self.every, self.timezone, self.anchor)

    @property
    def left(self) -> int:
        """Slots that were not dealt with yet."""
        return max(self.total - self.cursor, 0)


class BackfillSlot(models.Model):
    """One slot of a backfill. ``number`` counts from 0 in the order of the starts."""

    backfill = models.ForeignKey(Backfill, models.CASCADE, related_name="slots", db_index=False)
    number = models.PositiveIntegerField()
    slot = models.DateTimeField()
    since = models.DateTimeField(help_text="The slot before.")
    #: Empty until it was dealt with.
    state = models.CharField(max_length=8, blank=True, choices=SlotState.choices)
    active = models.BooleanField(default=False, help_text="Its run was not seen ended.")
    run_id = models.UUIDField(null=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "celesta_backfill_slot"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["backfill", "number"], name="celesta_backfill_number"),
            models.UniqueConstraint(fields=["backfill", "slot"], name="celesta_backfill_once"),
        ]
        indexes = [
            models.Index(
                fields=["backfill"], condition=Q(active=True), name="celesta_backfill_active"
            )
        ]

    def __str__(self) -> str:
        return f"{self.backfill_id} at {self.slot.isoformat()}"
