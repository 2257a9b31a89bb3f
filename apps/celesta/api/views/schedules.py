"""Schedules: make, list, read, change, delete, and look ahead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import asking, etags
from celesta.api.base import EVERY_METHOD, BaseView
from celesta.api.pagination import Keyset, page
from celesta.api.refusals import NotFound
from celesta.api.schema.operations import PAGING, operation, page_of, query, whole
from celesta.api.shapes.schedules import (
    NextSlots,
    ScheduleBody,
    ScheduleShape,
    SlotShape,
    TimingBody,
)
from celesta.graph.problems import Problem
from celesta.triggers import schedules
from celesta.triggers.checks import recurrence_problems
from celesta.triggers.errors import ScheduleInvalid
from celesta.triggers.models import Schedule, ScheduleSlot
from celesta.triggers.recurrence import Recurrence
from celesta.triggers.timing import Timing
from celesta.workflows.models import Workflow

BY_NAME = Keyset(("name",))
NEWEST_FIRST = Keyset(("slot",), descending=True)
#: How far one may look ahead in one call.
MOST_SLOTS = 100

#: What callers write of a schedule; the rest moves by itself.
WRITTEN = tuple(ScheduleBody().fields)

COUNT = query("count", "How many slots, by default 5.", whole(1, MOST_SLOTS))


class SchedulesView(BaseView):
    """The schedules of the workspace."""

    keeps_to_workflows = EVERY_METHOD

    roles = {"POST": Role.OPERATOR}

    @operation(
        "schedules_list", "List schedules",
        answers={200: page_of(ScheduleShape)},
        parameters=[
            *PAGING,
            query("workflow", "Only schedules of the workflow of this name."),
            query("enabled", "Only enabled (true) or disabled (false) ones.", bool),
            query("q", "Part of a name."),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List schedules by name."""
        rows, asked = schedules_of(self), request.query_params
        if workflow := asked.get("workflow"):
            rows = rows.filter(workflow__name=workflow)
        if (enabled := asking.switch(request, "enabled")) is not None:
            rows = rows.filter(enabled=enabled)
        if text := asked.get("q"):
            rows = rows.filter(name__icontains=text)
        return page(request, rows, BY_NAME, _shown)

    @operation(
        "schedules_create", "Create a schedule", body=ScheduleBody, answers={201: ScheduleShape}
    )
    def post(self, request: Request) -> Response:
        """Create a schedule; it counts from now on."""
        return _told(_save(self, Schedule(workspace=self.workspace), request), 201)


def schedules_of(view: BaseView) -> QuerySet[Schedule]:
    """The schedules of the view's workspace."""
    visible: QuerySet[Schedule] = Schedule.objects.visible_to(view.principal)
    rows = visible.filter(workspace=view.workspace).select_related("workflow")
    return rows.defer("workflow__draft")


def _shown(rows: list[Schedule]) -> Iterable[Any]:
    return ScheduleShape(rows, many=True).data


def _told(schedule: Schedule, status: int = 200) -> Response:
    data = ScheduleShape(schedule).data
    return Response(data, status, headers={"ETag": etags.of_written(data, WRITTEN)})


def _save(view: BaseView, schedule: Schedule, request: Request) -> Schedule:
    wanted = asking.body(request, ScheduleBody)
    schedule.workflow = _workflow(view, wanted.pop("workflow"))
    for field, value in wanted.items():
        setattr(schedule, field, value)
    return schedules.save(schedule)


def _workflow(view: BaseView, name: str) -> Workflow:
    rows = Workflow.objects.visible_to(view.principal).filter(workspace=view.workspace)
    found: Workflow | None = rows.select_related("current").filter(name=name).first()
    if found is None:
        message = f"there is no workflow {name!r} in workspace {view.workspace.slug!r}"
        raise ScheduleInvalid(
            problems=[Problem("unknown_workflow", "workflow", message, "Publish it first.")]
        )
    return found


class ScheduleBase(BaseView):
    """Anything about one schedule."""

    keeps_to_workflows = EVERY_METHOD

    @cached_property
    def schedule(self) -> Schedule:
        """The schedule that the address names; raises NotFound."""
        return self._found(schedules_of(self))

    def locked(self) -> Schedule:
        """The same as it is now and stays until the transaction ends; raises NotFound."""
        return self._found(schedules_of(self).select_for_update(of=("self",)))

    def _found(self, rows: QuerySet[Schedule]) -> Schedule:
        found = rows.filter(pk=min(self.kwargs["schedule_id"], 2**63 - 1)).first()
        if found is None:
            raise NotFound("There is no such schedule in this workspace.")
        return found


class ScheduleView(ScheduleBase):
    """One schedule."""

    roles = {"PUT": Role.OPERATOR, "DELETE": Role.OPERATOR}

    @operation(
        "schedules_get", "Read a schedule",
        answers={200: ScheduleShape, 304: None}, parameters=[etags.IF_NONE_MATCH],
    )  # fmt: skip
    def get(self, request: Request, schedule_id: int) -> Any:
        """Read a schedule; its ETag is for If-Match, and is not outdated by a start."""
        told = _told(self.schedule)
        return etags.tagged(request, told, told.headers["ETag"])

    @operation(
        "schedules_put", "Change a schedule",
        body=ScheduleBody, answers={200: ScheduleShape}, parameters=[etags.IF_MATCH],
    )  # fmt: skip
    def put(self, request: Request, schedule_id: int) -> Response:
        """Change a schedule; with another timing, or switched on, it counts from now on."""
        with transaction.atomic():
            # Under the lock that every change takes: what is compared here stays so.
            schedule = self.locked()
            etags.demand_written(request, ScheduleShape(schedule).data, WRITTEN)
            return _told(_save(self, schedule, request))

    @operation("schedules_delete", "Delete a schedule", answers={204: None})
    def delete(self, request: Request, schedule_id: int) -> Response:
        """Delete a schedule; the runs it started stay."""
        schedules.delete(self.schedule)
        return Response(status=204)


class NextView(ScheduleBase):
    """When a schedule is due next."""

    @operation(
        "schedules_next", "Tell the next slots of a schedule",
        answers={200: NextSlots}, parameters=[COUNT],
    )  # fmt: skip
    def get(self, request: Request, schedule_id: int) -> Response:
        """Tell the next slots; none while it is disabled or its workflow paused."""
        found = schedules.upcoming(self.schedule, _count(request))
        return Response(NextSlots({"slots": found}).data)


class SlotsView(ScheduleBase):
    """What became of a schedule's slots."""

    @operation(
        "schedules_slots", "List the slots that were dealt with, newest first",
        answers={200: page_of(SlotShape)}, parameters=PAGING,
    )  # fmt: skip
    def get(self, request: Request, schedule_id: int) -> Response:
        """List slots with the runs they started, or why they started none."""
        rows = ScheduleSlot.objects.filter(schedule=self.schedule)
        return page(request, rows, NEWEST_FIRST, _slots)


def _slots(rows: list[ScheduleSlot]) -> Iterable[Any]:
    return SlotShape(rows, many=True).data


class PauseView(ScheduleBase):
    """Hold a schedule back."""

    roles = {"POST": Role.OPERATOR}

    @operation("schedules_pause", "Pause a schedule", answers={200: ScheduleShape})
    def post(self, request: Request, schedule_id: int) -> Response:
        """Hold a schedule back; what waits in line waits on."""
        return Response(ScheduleShape(schedules.set_paused(self.schedule, paused=True)).data)


class ResumeView(ScheduleBase):
    """Let a schedule go on."""

    roles = {"POST": Role.OPERATOR}

    @operation("schedules_resume", "Resume a schedule", answers={200: ScheduleShape})
    def post(self, request: Request, schedule_id: int) -> Response:
        """Let a schedule go on; its catch-up policy decides about what it missed."""
        return Response(ScheduleShape(schedules.set_paused(self.schedule, paused=False)).data)


class RunNowView(ScheduleBase):
    """Start a schedule by hand."""

    roles = {"POST": Role.OPERATOR}

    @operation("schedules_run", "Start a run of a schedule now", answers={201: SlotShape})
    def post(self, request: Request, schedule_id: int) -> Response:
        """Start a run beside the slots, with this moment as its slot; answers which run."""
        made = schedules.run_now(self.schedule, principal=self.principal)
        return Response(SlotShape(made).data, 201)


class PreviewView(BaseView):
    """When a timing would be due, before anything is saved."""

    keeps_to_workflows = EVERY_METHOD

    @operation(
        "schedules_preview", "Tell the next slots of a timing without saving it",
        body=TimingBody, answers={200: NextSlots}, parameters=[COUNT],
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Tell the next slots of a timing."""
        body = asking.body(request, TimingBody)
        found = schedules.next_slots(_recurrence(body), count=_count(request))
        return Response(NextSlots({"slots": found}).data)


def _recurrence(wanted: Mapping[str, Any]) -> Recurrence:
    cron = schedules.normalised(wanted["cron"])
    timing = Timing(cron, wanted["every"], wanted["timezone"], wanted["anchor"], wanted["at"])
    rhythm = Recurrence(timing, wanted["starts_at"], wanted["ends_at"])
    if problems := recurrence_problems(rhythm):
        raise ScheduleInvalid("The timing has errors.", problems=problems)
    return rhythm


def _count(request: Request) -> int:
    return asking.whole(request, "count", 5, 1, MOST_SLOTS)
