"""Begin many runs of one version in one call: slots of a schedule, a backfill, a bulk start."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.db import InterfaceError, OperationalError, transaction
from uuid_utils.compat import uuid7

from celesta import conf
from celesta.engine import canvas, plans
from celesta.engine.params import checked_params
from celesta.graph.plan import Plan
from celesta.runs import transitions
from celesta.runs.calls import NewOfMany, NewRuns, Sent
from celesta.runs.errors import (
    DatabaseUnavailable,
    EngineError,
    IdempotencyConflict,
    ParamsInvalid,
    WorkflowInactive,
)
from celesta.runs.models import Run
from celesta.workflows.models import WorkflowVersion


@dataclass(frozen=True, slots=True)
class Wanted:
    """One run to be started. ``key`` is its idempotency key, unique in its workspace, or None."""

    params: dict[str, Any]
    key: str | None
    slot: datetime | None = None
    slot_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class BegunRun:
    """One of many runs, and whether this call created it (False: its key had been used)."""

    id: UUID
    created: bool


class SomeRefused(Exception):
    """Some of the runs cannot be started, and so none was; ``outcomes`` has a refusal for each."""

    def __init__(self, outcomes: list[BegunRun | EngineError]) -> None:
        self.outcomes = outcomes
        super().__init__("some runs cannot be started")


def start_many(
    version: WorkflowVersion,
    wanted: Sequence[Wanted],
    *,
    by: str,
    trigger: str,
    trigger_ref: str = "",
) -> list[UUID | ParamsInvalid]:
    """Start runs in one transaction (the caller's, when there is one): a few thousand a second.

    Returns for each its run, which may be an older one of that key, or why its params were refused.
    First waves are published when the transaction commits. Raises WorkflowInactive and
    DatabaseUnavailable; then none was started.
    """
    items = _prepared(version, wanted)
    with _transaction():
        found = _begin(version, items, by, trigger, trigger_ref)
    return [
        item if isinstance(item, ParamsInvalid) else found[position].id
        for position, item in enumerate(items)
    ]


def start_each(
    version: WorkflowVersion, wanted: Sequence[Wanted], *, by: str, trigger: str, atomic: bool
) -> list[BegunRun | EngineError]:
    """As :func:`start_many`, and says of each run whether it is new, or why it was refused.

    A key that was used for something else is refused too. With ``atomic`` one refusal undoes all:
    raises SomeRefused.
    """
    items = _prepared(version, wanted)
    with _transaction():
        found = _begin(version, items, by, trigger, "")
        outcomes = [_outcome(item, found.get(place)) for place, item in enumerate(items)]
        if atomic and any(isinstance(one, EngineError) for one in outcomes):
            raise SomeRefused(outcomes)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Found:
    """The run of one item: made now, or made before for the request with this digest."""

    id: UUID
    created: bool
    digest: str


Item = NewOfMany | ParamsInvalid


def _outcome(item: Item, found: _Found | None) -> BegunRun | EngineError:
    if isinstance(item, ParamsInvalid):
        return item
    assert found is not None  # noqa: S101 - whatever is no refusal has been written or found
    if found.digest != item.digest:
        return IdempotencyConflict(run=str(found.id))
    return BegunRun(found.id, found.created)


def _prepared(version: WorkflowVersion, wanted: Sequence[Wanted]) -> list[Item]:
    if not version.workflow.active:
        raise WorkflowInactive(
            f"Workflow {version.workflow.name} is not active; activate it to start runs."
        )
    plan = plans.of_version(version).plan
    return [_checked(plan, version, item) for item in wanted]


def _checked(plan: Plan, version: WorkflowVersion, item: Wanted) -> NewOfMany | ParamsInvalid:
    try:
        params = checked_params(plan.params_schema, item.params)
    except ParamsInvalid as error:
        return error
    asked = orjson.dumps([version.workflow_id, params], option=orjson.OPT_SORT_KEYS)
    digest = hashlib.sha256(asked).hexdigest()
    return NewOfMany(uuid7(), params, item.key, digest, item.slot, item.slot_from)


@contextmanager
def _transaction() -> Iterator[None]:
    try:
        with transaction.atomic(using=conf.get("DATABASE")):
            yield
    except (OperationalError, InterfaceError, psycopg.OperationalError) as error:
        raise DatabaseUnavailable from error


def _begin(
    version: WorkflowVersion, items: Sequence[Item], by: str, trigger: str, trigger_ref: str
) -> dict[int, _Found]:
    """Write what can be started, in the transaction around it; the run of each position."""
    plan = plans.of_version(version).plan
    places = [(n, item) for n, item in enumerate(items) if not isinstance(item, ParamsInvalid)]
    # In the order of their keys: two callers with the same keys wait for each other in one order.
    runs = sorted((item for _, item in places), key=lambda item: item.key or "")
    new = NewRuns(
        workspace=version.workflow.workspace_id,
        workflow=version.workflow_id,
        version=version.pk,
        runs=runs,
        trigger=trigger,
        trigger_ref=trigger_ref,
        by=by,
        deadline=plan.timeout,
    )
    made = transitions.start_many(new)
    sent = [sent for run in runs for sent in made.get(run.id, ())]
    transaction.on_commit(partial(_publish, plan, sent), using=conf.get("DATABASE"))
    older = _of_keys(new.workspace, {item.key for item in runs if item.id not in made})
    return {
        place: _Found(item.id, True, item.digest) if item.id in made else older[item.key or ""]
        for place, item in places
    }


def _of_keys(workspace: int, keys: set[str | None]) -> dict[str, _Found]:
    rows = (
        Run.objects.filter(workspace=workspace, idempotency_key__in=keys)
        if keys
        else Run.objects.none()
    )
    found = rows.values_list("idempotency_key", "pk", "request_digest")
    return {str(key): _Found(pk, False, digest) for key, pk, digest in found}


def _publish(plan: Plan, sent: Sequence[Sent]) -> None:
    """Run by run: waves of different runs have nothing to do with each other."""
    by_run: dict[str, list[Sent]] = {}
    for item in sent:
        by_run.setdefault(item.run, []).append(item)
    canvas.publish_many(plan, by_run.values())
