"""Begin a run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
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
from celesta.access.principals import Principal
from celesta.engine import canvas, plans
from celesta.engine.params import checked_params
from celesta.graph.plan import Plan
from celesta.runs import transitions
from celesta.runs.calls import Begun, NewRun
from celesta.runs.errors import DatabaseUnavailable, IdempotencyConflict, WorkflowInactive
from celesta.runs.models import Run
from celesta.runs.states import RunState
from celesta.workflows.models import WorkflowVersion


@dataclass(frozen=True, slots=True)
class Started:
    """A run, and whether this call created it (False: the idempotency key had been used)."""

    run: Run
    created: bool


def start_run(
    version: WorkflowVersion,
    params: dict[str, Any],
    *,
    principal: Principal,
    idempotency_key: str | None = None,
    trigger: str = "api",
    trigger_ref: str = "",
    run_id: UUID | None = None,
) -> Started:
    """Start a run of that version, in the caller's transaction when there is one.

    The first wave is published when that transaction commits; a broker that is down delays the run
    and loses nothing. Give ``run_id`` to repeat a start whose outcome was unknown.

    Raises ParamsInvalid, WorkflowInactive, IdempotencyConflict, DatabaseUnavailable.
    """
    check_active(version)
    plan = plans.of_version(version).plan
    params = checked_params(plan.params_schema, params)
    new = NewRun(
        id=run_id or uuid7(),
        workspace=version.workflow.workspace_id,
        workflow=version.workflow_id,
        version=version.pk,
        params=params,
        key=idempotency_key,
        # The workflow, not its version: a replay after a publish is still the same request.
        digest=digest_of(version.workflow_id, params),
        trigger=trigger,
        trigger_ref=trigger_ref,
        by=principal.name,
        deadline=plan.timeout,
    )
    return write(new, version, plan, transitions.start)


def check_active(version: WorkflowVersion) -> None:
    """Raise WorkflowInactive unless the version's workflow takes runs."""
    if not version.workflow.active:
        raise WorkflowInactive(
            f"Workflow {version.workflow.name} is not active; activate it to start runs."
        )


def write(
    new: NewRun,
    version: WorkflowVersion,
    plan: Plan,
    begin: Callable[[NewRun], Begun],
) -> Started:
    """Write a run by ``begin``, in the caller's transaction, and publish what that releases."""
    try:
        with transaction.atomic(using=conf.get("DATABASE")):
            begun = begin(new)
            if begun.at is not None:
                run = _written(new, begun.at, version)
                transaction.on_commit(
                    partial(canvas.publish, plan, begun.sent), using=conf.get("DATABASE")
                )
            else:
                run = Run.objects.get(pk=begun.run)
    except (OperationalError, InterfaceError, psycopg.OperationalError) as error:
        raise DatabaseUnavailable from error
    if begun.digest != new.digest:
        raise IdempotencyConflict(run=str(begun.run))
    return Started(run, begun.created)


def _written(new: NewRun, at: datetime, version: WorkflowVersion) -> Run:
    """The run as it was just written; reading it back would cost as much again as writing it."""
    run = Run(
        id=new.id,
        workspace_id=new.workspace,
        workflow=version.workflow,
        version=version,
        state=RunState.PENDING.value,
        params=new.params,
        trigger=new.trigger,
        trigger_ref=new.trigger_ref,
        idempotency_key=new.key,
        request_digest=new.digest,
        created_by=new.by,
        created_at=at,
    )
    state = run._state  # noqa: SLF001 - a documented attribute
    state.adding, state.db = False, conf.get("DATABASE")
    return run


def digest_of(*asked: Any) -> str:
    """What a request asked for, so that another one under its idempotency key is told apart."""
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()
