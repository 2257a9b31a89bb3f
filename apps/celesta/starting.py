"""Starting runs from a project's own code: ``celesta.start("shop.fulfil", {"order_id": 7})``.

In ``async`` code ``await celesta.astart(...)``, and ``await celesta.await_run(run)`` for its end.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from asgiref.sync import sync_to_async

from celesta.access.principals import SYSTEM, Principal
from celesta.access.workspaces import DEFAULT
from celesta.engine.awaiting import await_run_async
from celesta.engine.start import start_run
from celesta.runs.errors import NotPublished
from celesta.workflows.errors import WorkflowUnknown
from celesta.workflows.models import Workflow, WorkflowVersion

if TYPE_CHECKING:
    from celesta.runs.models import Run


def start(
    workflow: str,
    params: Mapping[str, Any] | None = None,
    *,
    by: Any = None,
    workspace: str = DEFAULT,
    idempotency_key: str | None = None,
) -> Run:
    """Start a workflow's current version, in the caller's transaction when there is one.

    ``workspace`` is a slug. ``by`` is the user whose name the run carries; a project's own code may
    start what it likes, so no role is asked for. A used ``idempotency_key`` answers the run
    that it began.

    Raises WorkflowUnknown, and what ``celesta.engine.start.start_run`` raises: NotPublished,
    WorkflowInactive, ParamsInvalid, IdempotencyConflict, DatabaseUnavailable.
    """
    started = start_run(
        _current(workflow, workspace),
        dict(params or {}),
        principal=_principal(by),
        idempotency_key=idempotency_key,
        trigger="code",
    )
    return started.run


#: As :func:`start`, in ``async`` code: the event loop goes on meanwhile. It works in the thread in
#: which Django's own async queries do, so it joins a transaction of the caller just as they would.
astart = sync_to_async(start)


async def await_run(
    run: Run | UUID,
    states: Collection[str] = (),
    *,
    timeout: float = 60.0,  # noqa: ASYNC109 - the wait is not ended but answered
) -> Run:
    """The run as soon as it is in one of ``states``, or when ``timeout`` seconds are over.

    Without ``states`` any final one is awaited; a run that has ended is never waited for. See in
    ``state`` what it came to. No thread and no connection is held meanwhile. Raises RunNotFound.
    """
    return await await_run_async(run if isinstance(run, UUID) else run.pk, states, timeout)


def _principal(by: Any) -> Principal:
    return SYSTEM if by is None else Principal(name=by.get_username(), user_id=by.pk)


def _current(name: str, workspace: str) -> WorkflowVersion:
    found = Workflow.objects.filter(workspace__slug=workspace, name=name)
    row = found.select_related("current__workflow").first()
    if row is None:
        raise WorkflowUnknown(
            f"There is no workflow {name!r} in workspace {workspace!r}; publish it first."
        )
    version: WorkflowVersion | None = row.current
    if version is None:
        raise NotPublished
    return version
