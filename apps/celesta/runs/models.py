"""Run history at rest.

Only :mod:`celesta.runs.transitions` writes these tables (through the functions in ``sql/``);
everybody else reads. Keys lead with the run, so that ``node_run``, ``output`` and ``event`` can be
partitioned by it later; and no index of a hot table mentions a column that a transition changes, so
updates stay HOT. Which states there are, and when a row has an end, the database checks itself
(``sql/law_v1.sql``).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from celesta.access.models import Workspace
from celesta.access.scoping import WorkspaceScoped
from celesta.runs.states import RunState
from celesta.stored_json import StoredJSON
from celesta.workflows.models import Workflow, WorkflowVersion


class Run(models.Model):
    """One execution of one version. Not written per node: its row stays cold while nodes move."""

    id = models.UUIDField(primary_key=True, help_text="UUIDv7: ids sort by start time.")
    # Their indexes are those below, which begin with them.
    workspace = models.ForeignKey(Workspace, models.PROTECT, related_name="runs", db_index=False)
    workflow = models.ForeignKey(Workflow, models.PROTECT, related_name="runs", db_index=False)
    version = models.ForeignKey(WorkflowVersion, models.PROTECT, related_name="runs")
    state = models.CharField(
        max_length=16,
        default=RunState.PENDING,
        choices=[(s.value, s.value.capitalize()) for s in RunState],
    )
    params = StoredJSON(default=dict)
    output = StoredJSON(null=True)
    error = StoredJSON(null=True)
    trigger = models.CharField(max_length=32, default="api")
    trigger_ref = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    request_digest = models.CharField(max_length=64, blank=True)
    rerun_of = models.UUIDField(null=True)
    slot = models.DateTimeField(null=True, help_text="The slot of a schedule that it is for.")
    slot_from = models.DateTimeField(null=True, help_text="The slot before: where its data begin.")
    next_scope = models.IntegerField(default=1)
    created_by = models.CharField(max_length=200, blank=True, help_text="Name of the principal.")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True, help_text="Since when it is paused.")

    objects = WorkspaceScoped.through("workspace", "workflow__name")

    class Meta:
        db_table = "celesta_run"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["workspace", "-created_at", "-id"], name="celesta_run_recent"),
            models.Index(fields=["workflow", "-created_at", "-id"], name="celesta_run_workflow"),
            models.Index(fields=["workspace", "state", "-created_at"], name="celesta_run_state"),
            models.Index(
                fields=["workflow", "state", "-created_at", "-id"],
                name="celesta_run_workflow_state",
            ),
            models.Index(
                fields=["workspace", "trigger", "state", "-created_at", "-id"],
                name="celesta_run_trigger",
            ),
            models.Index(
                fields=["workflow", "trigger", "state", "-created_at", "-id"],
                name="celesta_run_workflow_trigger",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "idempotency_key"], name="celesta_run_idempotency"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class NodeRun(models.Model):
    """One node of one run in one scope. Narrow on purpose: written twice or thrice per node."""

    pk = models.CompositePrimaryKey("run_id", "scope", "node")
    run = models.ForeignKey(
        Run, models.CASCADE, related_name="node_runs", db_constraint=False, db_index=False
    )
    scope = models.IntegerField()
    node = models.IntegerField()
    state = models.CharField(max_length=16)
    attempt = models.SmallIntegerField(default=0)
    losses = models.SmallIntegerField(default=0)
    token = models.BigIntegerField(null=True, help_text="Whoever holds it may report the result.")
    slot = models.BigIntegerField(null=True, help_text="The slot that ran it last.")
    via = models.CharField(max_length=10, null=True, help_text="How it travelled.")
    ready_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = WorkspaceScoped.through("run__workspace", "run__workflow__name")

    class Meta:
        db_table = "celesta_node_run"


class GateRun(models.Model):
    """A gate's counters in one run; gates of a single upstream need none."""

    pk = models.CompositePrimaryKey("run_id", "scope", "gate")
    run = models.ForeignKey(
        Run, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    scope = models.IntegerField()
    gate = models.IntegerField()
    succeeded = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)
    fired = models.BooleanField(default=False)

    class Meta:
        db_table = "celesta_gate"


class Output(models.Model):
    """What a node run ended with: insert-only. No row means the output is null."""

    pk = models.CompositePrimaryKey("run_id", "scope", "node")
    run = models.ForeignKey(
        Run, models.CASCADE, related_name="outputs", db_constraint=False, db_index=False
    )
    scope = models.IntegerField()
    node = models.IntegerField()
    value = StoredJSON(null=True)
    error = StoredJSON(null=True)

    objects = WorkspaceScoped.through("run__workspace", "run__workflow__name")

    class Meta:
        db_table = "celesta_output"


class Event(models.Model):
    """History, written by the transaction that made it. Ids become visible out of order."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        Run, models.CASCADE, related_name="events", db_constraint=False, db_index=False
    )
    at = models.DateTimeField()
    kind = models.CharField(max_length=24)
    scope = models.IntegerField(null=True)
    node = models.IntegerField(null=True)
    attempt = models.SmallIntegerField(null=True)
    data = StoredJSON(null=True)

    objects = WorkspaceScoped.through("run__workspace", "run__workflow__name")

    class Meta:
        db_table = "celesta_event"
        ordering = ["id"]
        indexes = [models.Index(fields=["run", "id"], name="celesta_event_run")]


class LogLine(models.Model):
    """What a node's body logged or printed: insert-only, bounded by the attempt that said it.

    ``number`` is the order in which lines were stored, over all runs; as with events, a line may
    become visible after one with a higher number.
    """

    pk = models.CompositePrimaryKey("run_id", "scope", "node", "attempt", "seq")
    run = models.ForeignKey(
        Run, models.CASCADE, related_name="log_lines", db_constraint=False, db_index=False
    )
    scope = models.IntegerField()
    node = models.IntegerField()
    attempt = models.SmallIntegerField()
    seq = models.BigIntegerField(
        help_text="Order within the attempt; begins at its first line's moment in microseconds, "
        "so that an attempt begun twice under one number tells its lines apart."
    )
    number = models.BigIntegerField(unique=True, help_text="Given by the database.")
    at = models.DateTimeField(help_text="By the worker's clock.")
    stored_at = models.DateTimeField(help_text="By the database's clock.")
    level = models.SmallIntegerField(help_text="As in Python's logging: 20 is INFO.")
    logger = models.CharField(max_length=200, help_text="stdout and stderr for what was printed.")
    text = models.TextField()
    dropped = models.IntegerField(default=0, help_text="Lines that were not kept, up to here.")

    objects = WorkspaceScoped.through("run__workspace", "run__workflow__name")

    class Meta:
        db_table = "celesta_log_line"
        indexes = [models.Index(fields=["run", "number"], name="celesta_log_line_run")]


class DeadLetter(models.Model):
    """A node whose failure failed its run; open until somebody retries or discards it."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        RETRIED = "retried", "Retried"
        DISCARDED = "discarded", "Discarded"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="dead_letters")
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="+")
    node = models.IntegerField()
    name = models.CharField(max_length=220, help_text="Name of the node.")
    attempt = models.SmallIntegerField(help_text="Attempts it had.")
    code = models.CharField(max_length=100)
    message = models.TextField(blank=True)
    fingerprint = models.CharField(
        max_length=16,
        help_text="The same for failures that differ in numbers, ids and quotes only.",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    retried_as = models.UUIDField(null=True, help_text="The run that retries it.")

    objects = WorkspaceScoped.through("workspace", "workflow__name")

    class Meta:
        db_table = "celesta_dead_letter"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["workspace", "state", "-id"], name="celesta_dead_state"),
            models.Index(fields=["workspace", "fingerprint", "-id"], name="celesta_dead_alike"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.code}"


class Expansion(models.Model):
    """A map at work: scopes ``first_scope .. first_scope + total - 1`` are its items."""

    pk = models.CompositePrimaryKey("run_id", "first_scope")
    run = models.ForeignKey(
        Run, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    first_scope = models.IntegerField()
    scope = models.IntegerField(help_text="Scope of the map node itself.")
    node = models.IntegerField(help_text="The map node.")
    body = models.IntegerField()
    total = models.IntegerField()
    created = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    tolerate = models.IntegerField(default=0)
    max_parallel = models.IntegerField(null=True)

    class Meta:
        db_table = "celesta_expansion"


class Item(models.Model):
    """The value of one item of a map; insert-only."""

    pk = models.CompositePrimaryKey("run_id", "scope")
    run = models.ForeignKey(
        Run, models.CASCADE, related_name="+", db_constraint=False, db_index=False
    )
    scope = models.IntegerField()
    value = StoredJSON(null=True)

    class Meta:
        db_table = "celesta_item"


class Wave(models.Model):
    """Nodes that became ready at once on one queue; lanes claim from it until the cursor ends it.

    Members are ``nodes`` of ``scope``; or, of a map, its body ``node`` in ``total`` scopes from
    ``scope`` on, and ``nodes`` are the scopes of items that came back.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="+", db_constraint=False)
    scope = models.IntegerField()
    nodes = ArrayField(models.IntegerField(), null=True)
    node = models.IntegerField(null=True)
    total = models.IntegerField()
    cursor = models.IntegerField(default=0)
    queue = models.CharField(max_length=200)
    priority = models.SmallIntegerField()

    class Meta:
        db_table = "celesta_wave"


class Hint(models.Model):
    """A message that should be travelling: for one node, or for one lane of a wave."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="+", db_constraint=False)
    scope = models.IntegerField(null=True)
    node = models.IntegerField(null=True)
    wave = models.BigIntegerField(null=True)
    queue = models.CharField(max_length=200)
    priority = models.SmallIntegerField()
    released_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    sends = models.SmallIntegerField(default=1)

    class Meta:
        db_table = "celesta_hint"


class Timer(models.Model):
    """Something that happens by itself: a retry, the end of a wait, a deadline."""

    class Kind(models.TextChoices):
        RETRY = "retry", "Try again"
        FINISH = "finish", "Succeed"
        FOREIGN = "foreign", "Foreign task timed out"
        DEADLINE = "deadline", "Run deadline"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, models.CASCADE, related_name="+", db_constraint=False)
    scope = models.IntegerField(null=True)
    node = models.IntegerField(null=True)
    attempt = models.SmallIntegerField(null=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    due_at = models.DateTimeField()
    output = StoredJSON(null=True)
    held = models.BooleanField(
        db_default=False, help_text="Its run is paused: nobody looks at it before that goes on."
    )

    class Meta:
        db_table = "celesta_timer"
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(held=False), name="celesta_timer_due"
            )
        ]


class Slot(models.Model):
    """One place in a worker where a node can run: a pool process or thread, under a lease."""

    id = models.BigAutoField(primary_key=True)
    worker = models.CharField(max_length=200)
    pid = models.IntegerField()
    queues = ArrayField(models.CharField(max_length=200))
    token = models.BigIntegerField(null=True)
    seq = models.IntegerField(default=0, help_text="Number of the last call that was carried out.")
    run_id = models.UUIDField(null=True)
    scopes = ArrayField(models.IntegerField(), default=list)
    nodes = ArrayField(models.IntegerField(), default=list)
    wave = models.BigIntegerField(null=True)
    hint_sent_at = models.DateTimeField(
        null=True, help_text="When the hint claimed last was first sent."
    )
    hint_queue = models.CharField(max_length=200, null=True)
    hint_priority = models.SmallIntegerField(null=True)
    lease_until = models.DateTimeField()
    idle_since = models.DateTimeField(null=True)
    started_at = models.DateTimeField()

    class Meta:
        db_table = "celesta_slot"


class PastSlot(models.Model):
    """A slot that is no more: so that a node's page can tell where it ran, for as long as it is."""

    id = models.BigIntegerField(primary_key=True, help_text="As it was the slot's.")
    worker = models.CharField(max_length=200)
    pid = models.IntegerField()
    started_at = models.DateTimeField()

    class Meta:
        db_table = "celesta_past_slot"


class Leader(models.Model):
    """The one row that says which keeper leads, under which term, until when."""

    id = models.SmallIntegerField(primary_key=True)
    holder = models.CharField(max_length=200, blank=True)
    term = models.BigIntegerField(default=0)
    since = models.DateTimeField(null=True)
    until = models.DateTimeField()

    class Meta:
        db_table = "celesta_leader"
