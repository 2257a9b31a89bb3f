"""Backfills: look at one before it is made, make, list, read, pause, resume and cancel."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import asking
from celesta.api.base import EVERY_METHOD, BaseView
from celesta.api.pagination import Keyset, page
from celesta.api.refusals import NotFound
from celesta.api.schema.operations import PAGING, operation, page_of, query, whole
from celesta.api.shapes.backfills import (
    BackfillBody,
    BackfillPreview,
    BackfillShape,
    BackfillSlotShape,
)
from celesta.api.views.schedules import schedules_of
from celesta.graph.problems import Problem
from celesta.triggers import backfills
from celesta.triggers.errors import BackfillInvalid
from celesta.triggers.models import Backfill, BackfillSlot
from celesta.triggers.schedules import normalised
from celesta.workflows.models import Workflow

NEWEST_FIRST = Keyset(("id",), descending=True)
BY_NUMBER = Keyset(("number",))
PREVIEW = query("preview", "true: tell what would be started, and start nothing.", bool)
SCHEDULE = query("schedule", "Only backfills of the schedule with this id.", whole(0))


class BackfillsView(BaseView):
    """The backfills of the workspace."""

    keeps_to_workflows = EVERY_METHOD

    roles = {"POST": Role.OPERATOR}

    @operation(
        "backfills_list", "List backfills, newest first",
        answers={200: page_of(BackfillShape)}, parameters=[*PAGING, SCHEDULE],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List backfills with their progress."""
        rows = _backfills_of(self)
        if "schedule" in request.query_params:
            rows = rows.filter(schedule=asking.number(request, "schedule", 2**63 - 1))
        return page(request, rows, NEWEST_FIRST, _shown)

    @operation(
        "backfills_create", "Make a backfill, or look at one first", body=BackfillBody,
        answers={201: BackfillShape, 200: BackfillPreview}, parameters=[PREVIEW],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Make a backfill; the leader starts its slots from now on."""
        only_a_look = asking.switch(request, "preview")
        wanted = asking.body(request, BackfillBody)
        limit = wanted.pop("max_slots")
        draft = _draft(self, wanted)
        if only_a_look:
            return Response(BackfillPreview(backfills.preview(draft, limit)).data)
        made = backfills.create(draft, principal=self.principal, limit=limit)
        return Response(BackfillShape(made).data, 201)


def _backfills_of(view: BaseView) -> QuerySet[Backfill]:
    visible: QuerySet[Backfill] = Backfill.objects.visible_to(view.principal)
    rows = visible.filter(workspace=view.workspace).select_related("workflow")
    return rows.defer("workflow__draft")


def _shown(rows: list[Backfill]) -> Iterable[Any]:
    return BackfillShape(rows, many=True).data


def _draft(view: BaseView, wanted: dict[str, Any]) -> Backfill:
    begin, until = wanted.pop("begin"), wanted.pop("until")
    number, workflow = wanted.pop("schedule"), wanted.pop("workflow")
    if (number is None) == (not workflow):
        raise _refused("schedule", "Write either 'schedule' or 'workflow' with a timing.")
    if number is not None:
        rows = schedules_of(view).select_related("workflow__current")
        schedule = rows.filter(pk=min(number, 2**63 - 1)).first()
        if schedule is None:
            raise _refused("schedule", f"there is no schedule {number} in this workspace")
        for field in ("cron", "every", "anchor"):
            if wanted.pop(field):
                raise _refused(field, "the timing is that of the schedule")
        wanted.pop("timezone")
        draft = backfills.of_schedule(schedule, begin, until)
    else:
        draft = backfills.of_workflow(_workflow(view, workflow), begin, until)
        wanted["cron"] = normalised(wanted["cron"])
    if (params := wanted.pop("params")) is not None:
        draft.params = params
    for field, value in wanted.items():
        setattr(draft, field, value)
    return draft


def _workflow(view: BaseView, name: str) -> Workflow:
    rows = Workflow.objects.visible_to(view.principal).filter(workspace=view.workspace)
    found: Workflow | None = rows.select_related("current").filter(name=name).first()
    if found is None:
        raise _refused("workflow", f"there is no workflow {name!r} in this workspace")
    return found


def _refused(path: str, message: str) -> BackfillInvalid:
    return BackfillInvalid(problems=[Problem("unknown_subject", path, message)])


class BackfillBase(BaseView):
    """Anything about one backfill."""

    keeps_to_workflows = EVERY_METHOD

    @cached_property
    def backfill(self) -> Backfill:
        """The backfill that the address names; raises NotFound."""
        found = _backfills_of(self).filter(pk=min(self.kwargs["backfill_id"], 2**63 - 1)).first()
        if found is None:
            raise NotFound("There is no such backfill in this workspace.")
        return found


class BackfillView(BackfillBase):
    """One backfill."""

    @operation("backfills_get", "Read a backfill", answers={200: BackfillShape})
    def get(self, request: Request, backfill_id: int) -> Response:
        """Read a backfill and how far it is."""
        return Response(BackfillShape(self.backfill).data)


class BackfillSlotsView(BackfillBase):
    """The slots of a backfill."""

    @operation(
        "backfills_slots", "List the slots of a backfill in the order of their starts",
        answers={200: page_of(BackfillSlotShape)}, parameters=PAGING,
    )  # fmt: skip
    def get(self, request: Request, backfill_id: int) -> Response:
        """List slots with the runs they started, or why they started none."""
        rows = BackfillSlot.objects.filter(backfill=self.backfill)
        return page(request, rows, BY_NUMBER, _slots)


def _slots(rows: list[BackfillSlot]) -> Iterable[Any]:
    return BackfillSlotShape(rows, many=True).data


class PauseView(BackfillBase):
    """Hold a backfill back."""

    roles = {"POST": Role.OPERATOR}

    @operation("backfills_pause", "Pause a backfill", answers={200: BackfillShape})
    def post(self, request: Request, backfill_id: int) -> Response:
        """Start no more of its slots; its runs go on."""
        return Response(BackfillShape(backfills.set_paused(self.backfill, paused=True)).data)


class ResumeView(BackfillBase):
    """Let a backfill go on."""

    roles = {"POST": Role.OPERATOR}

    @operation("backfills_resume", "Resume a backfill", answers={200: BackfillShape})
    def post(self, request: Request, backfill_id: int) -> Response:
        """Go on with its next slot."""
        return Response(BackfillShape(backfills.set_paused(self.backfill, paused=False)).data)


class CancelView(BackfillBase):
    """End a backfill."""

    roles = {"POST": Role.OPERATOR}

    @operation("backfills_cancel", "Cancel a backfill", answers={200: BackfillShape})
    def post(self, request: Request, backfill_id: int) -> Response:
        """Start no more of its slots, for good; its runs go on."""
        return Response(BackfillShape(backfills.cancel(self.backfill)).data)
