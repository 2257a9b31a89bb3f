"""What operators do to a run besides cancelling it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import asking
from celesta.api.refusals import NotFound
from celesta.api.schema.operations import operation
from celesta.api.shapes.runs import (
    CancelBody,
    NodeRunDetail,
    RerunBody,
    RerunForeseen,
    RunDetail,
)
from celesta.api.views.run_parts import SCOPE, NodeBase
from celesta.api.views.runs import IDEMPOTENCY, RunBase, idempotency_key, started_answer
from celesta.engine.pausing import pause_run, resume_run
from celesta.engine.rerun import Mode, foresee, rerun_run
from celesta.engine.skipping import skip_node
from celesta.runs import queries
from celesta.runs.models import Run
from celesta.workflows.models import WorkflowVersion


def reason_of(request: Request) -> str:
    """The reason in the body; raises when there is anything else in it."""
    body = asking.body(request, CancelBody)
    reason: str = body["reason"]
    return reason


class RunVerbBase(RunBase):
    """A verb of one run."""

    roles = {"POST": Role.OPERATOR}

    def answer(self, run_id: UUID) -> Response:
        """The run as it is now."""
        return Response(RunDetail(queries.runs(self.principal).get(pk=run_id)).data)


class RunPauseView(RunVerbBase):
    """Holds a run."""

    @operation("runs_pause", "Pause a run", body=CancelBody, answers={200: RunDetail})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Pause a run: what runs goes on to its end, nothing else begins, its deadline waits."""
        pause_run(self.run.pk, by=self.principal.name, reason=reason_of(request))
        return self.answer(run_id)


class RunResumeView(RunVerbBase):
    """Lets a paused run go on."""

    @operation("runs_resume", "Let a paused run go on", answers={200: RunDetail})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Resume a paused run; what waits for a worker is sent at once."""
        resume_run(self.run.pk, by=self.principal.name)
        return self.answer(run_id)


class RerunView(RunVerbBase):
    """Runs again what has ended."""

    @operation(
        "runs_rerun", "Run again, all or in part",
        body=RerunBody, answers={201: RunDetail, 200: RunDetail}, parameters=[IDEMPOTENCY],
    )  # fmt: skip
    def post(self, request: Request, run_id: UUID) -> Response:
        """Make a new run that keeps what need not run again: 201, or 200 for a used key."""
        started = rerun_run(
            self.run,
            principal=self.principal,
            idempotency_key=idempotency_key(request),
            **asked_of(request, self.run),
        )
        return started_answer(self, started)


class RerunPreviewView(RunVerbBase):
    """Tells what a rerun would run."""

    @operation(
        "runs_rerun_preview", "What a rerun would run, and what it would keep",
        body=RerunBody, answers={200: RerunForeseen},
    )  # fmt: skip
    def post(self, request: Request, run_id: UUID) -> Response:
        """Name the nodes that would run again and those that would be kept; nothing is started."""
        asked = asked_of(request, self.run)
        asked.pop("params")
        return Response(RerunForeseen(foresee(self.run, **asked)).data)


def asked_of(request: Request, run: Run) -> dict[str, Any]:
    """What of a run is to run again, as arguments of `rerun_run`."""
    asked = asking.body(request, RerunBody)
    number = asked.pop("version")
    version = version_numbered(run, number) if number else None
    return {**asked, "mode": Mode(asked["mode"]), "version": version}


def version_numbered(run: Run, number: int) -> WorkflowVersion:
    """That version of the run's workflow; raises NotFound."""
    versions = WorkflowVersion.objects.select_related("workflow")
    found: WorkflowVersion | None = versions.filter(
        workflow_id=run.workflow_id, number=number
    ).first()
    if found is None:
        raise NotFound(f"{run.workflow.name} has no version {number}.")
    return found


class SkipView(NodeBase):
    """Goes on without a node."""

    roles = {"POST": Role.OPERATOR}

    @operation(
        "runs_skip", "Skip a node that is ready or waits",
        body=CancelBody, answers={200: NodeRunDetail}, parameters=[SCOPE],
    )  # fmt: skip
    def post(self, request: Request, run_id: UUID, node: str) -> Response:
        """Skip a node; results of it that come later will be refused."""
        row = self.row
        skip_node(run_id, row.scope, row.node, by=self.principal.name, reason=reason_of(request))
        row.refresh_from_db()
        return self.answer()
