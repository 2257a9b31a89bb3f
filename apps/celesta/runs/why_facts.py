"""Gathers what decides why a node does not run; reads only, in a handful of short queries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Max
from django.utils import timezone

from celesta import conf
from celesta.graph.plan import NONE, Plan, PlanNode
from celesta.runs import queries, why
from celesta.runs.models import Event, Expansion, Hint, Leader, NodeRun, Run, Slot, Timer, Wave
from celesta.runs.states import NodeState


def why_waiting(run: Run, row: NodeRun) -> list[why.Cause]:
    """Why that node run does not run; see :func:`celesta.runs.why.why`."""
    return why.why(facts(run, row))


def facts(run: Run, row: NodeRun) -> why.Facts:
    """All that is known of one node run."""
    plan = queries.plan_of(run.version_id)
    node = plan.nodes[row.node]
    now = timezone.now()
    known: dict[str, Any] = {
        "now": now,
        "run": run.state,
        "node": row.state,
        "queue": node.queue,
        "since": row.ready_at,
        "has_leader": Leader.objects.filter(until__gt=now).exists(),
        "lost_after": conf.get("HINT_LOST_AFTER"),
    }
    match row.state:
        case NodeState.PENDING:
            known |= _gate(run, row, plan, node)
        case NodeState.WAITING:
            known |= {"since": row.started_at, **_timer(run, row, node)}
        case NodeState.READY:
            known |= {"message": _message(run, row), "of": _map_of(run, row, plan), **_slots(node)}
        case NodeState.RUNNING:
            known |= {"since": row.started_at, **_worker(row)}
    return why.Facts(**known)


def _gate(run: Run, row: NodeRun, plan: Plan, node: PlanNode) -> dict[str, Any]:
    if node.gate == NONE:
        return {}
    gate = plan.gates[node.gate]
    rows = NodeRun.objects.filter(run_id=run.pk, scope=row.scope, node__in=gate.upstreams)
    states = dict(rows.values_list("node", "state"))
    upstreams = [
        why.Upstream(plan.nodes[index].name, states[index])
        for index in gate.upstreams
        if index in states
    ]
    return {"rule": str(gate.rule), "upstreams": tuple(upstreams)}


def _timer(run: Run, row: NodeRun, node: PlanNode) -> dict[str, Any]:
    timers = Timer.objects.filter(run_id=run.pk, scope=row.scope, node=row.node)
    timer = timers.order_by("due_at").first()
    expansion = Expansion.objects.filter(run_id=run.pk, scope=row.scope, node=row.node).first()
    return {
        "timer": timer and why.Timer(_kind(run, row, timer), timer.due_at),
        "task": str(node.config.get("task", "")),
        "items": expansion and why.Items(node.name, expansion.total, expansion.done),
    }


def _kind(run: Run, row: NodeRun, timer: Timer) -> str:
    """What the timer is for: a sent task's timeout is a retry, too, while attempts are left."""
    if timer.kind == "expire":
        return "foreign"
    told = Event.objects.filter(run_id=run.pk, scope=row.scope, node=row.node, kind="waiting")
    last = told.order_by("-id").first()
    has_failed = last is not None and bool(last.data)
    return "foreign" if timer.kind == "retry" and not has_failed else timer.kind


def _message(run: Run, row: NodeRun) -> why.Message | None:
    """The node's own message, or the last one of the wave in which it is."""
    hints = Hint.objects.filter(run_id=run.pk)
    own = hints.filter(scope=row.scope, node=row.node)
    if not own:
        waves = [w.pk for w in Wave.objects.filter(run_id=run.pk) if _is_in(w, row)]
        own = hints.filter(wave__in=waves)
    last = own.aggregate(sent_at=Max("sent_at"), sends=Max("sends"))
    return why.Message(last["sent_at"], last["sends"]) if last["sent_at"] else None


def _is_in(wave: Wave, row: NodeRun) -> bool:
    if wave.node is None:
        return wave.scope == row.scope and row.node in (wave.nodes or ())
    return wave.node == row.node and wave.scope <= row.scope < wave.scope + wave.total


def _map_of(run: Run, row: NodeRun, plan: Plan) -> why.Items | None:
    if not row.scope:
        return None
    expansions = Expansion.objects.filter(run_id=run.pk, first_scope__lte=row.scope)
    found = expansions.filter(first_scope__gt=row.scope - F("total")).first()
    if found is None:
        return None
    at_work = (NodeState.RUNNING, NodeState.WAITING)
    items = NodeRun.objects.filter(
        run_id=run.pk, node=row.node, scope__gte=found.first_scope,
        scope__lt=found.first_scope + found.total, state__in=at_work,
    )  # fmt: skip
    return why.Items(
        plan.nodes[found.node].name, found.total, found.done, found.max_parallel, items.count()
    )


def _slots(node: PlanNode) -> dict[str, Any]:
    live = list(Slot.objects.filter(lease_until__gt=timezone.now()).order_by("worker", "id"))
    ours = [slot for slot in live if node.queue in slot.queues]
    return {
        "places": tuple(_places(ours)),
        "heard": tuple(sorted({queue for slot in live for queue in slot.queues})),
    }


def _places(slots: Iterable[Slot]) -> Iterable[why.Place]:
    slots = list(slots)
    runs = {slot.run_id for slot in slots if slot.run_id is not None}
    found = {run.pk: run for run in Run.objects.filter(pk__in=runs).select_related("workflow")}
    for slot in slots:
        worker = f"{slot.worker} · {slot.pid}"
        run = found.get(slot.run_id) if slot.run_id else None
        if slot.token is None:
            # A process without a token that is not idle is busy with a task of the team's own.
            own = "" if slot.idle_since is not None else "tasks that are not Celesta's"
            yield why.Place(worker, own)
        elif run is None:
            yield why.Place(worker, "another run")
        else:
            yield _busy(worker, slot, run)


def _busy(worker: str, slot: Slot, run: Run) -> why.Place:
    plan = queries.plan_of(run.version_id)
    names = [plan.nodes[index].name for index in slot.nodes[:1] if index < len(plan.nodes)]
    rows = NodeRun.objects.filter(run_id=run.pk, slot=slot.pk, state=NodeState.RUNNING)
    since = rows.order_by("started_at").values_list("started_at", flat=True).first()
    task = " ".join([run.workflow.name, *names])
    return why.Place(worker, task, since)


def _worker(row: NodeRun) -> dict[str, Any]:
    slot = Slot.objects.filter(pk=row.slot).first() if row.slot else None
    if slot is None:
        return {"worker": "", "is_silent": row.token is not None}
    return {
        "worker": f"{slot.worker} · {slot.pid}",
        "is_silent": slot.lease_until < timezone.now(),
    }
