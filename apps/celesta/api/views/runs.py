"""Runs: start, list, read, cancel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role, Workspace
from celesta.api import asking
from celesta.api.base import EVERY_METHOD, BaseView
from celesta.api.pagination import Keyset, ordered_by, page_by
from celesta.api.refusals import InvalidIdempotencyKey, InvalidQuery
from celesta.api.schema.operations import PAGING, header, operation, page_of, query, several
from celesta.api.shapes.runs import RUN_STATES, CancelBody, RunBrief, RunDetail, StartBody
from celesta.api.views.versions import version_of
from celesta.api.views.workflows import WorkflowBase
from celesta.engine.cancellation import cancel_run
from celesta.engine.rerun import start_at
from celesta.engine.start import Started, start_run
from celesta.runs import queries
from celesta.runs.errors import NotPublished, RunNotFound
from celesta.runs.listing import RunFilter
from celesta.runs.models import Run
from celesta.workflows.models import Workflow, WorkflowVersion

NEWEST_FIRST = Keyset(("created_at", "id"), descending=True)
LONGEST_KEY = 255
IDEMPOTENCY = header(
    "Idempotency-Key",
    "A second start with the same key answers 200 with the first run, "
    "or 409 when it asks for something else.",
    {"type": "string", "pattern": f"^[ -~]{{1,{LONGEST_KEY}}}$"},
)

STATE_FILTER = several("state", "Only runs in one of these states.", RUN_STATES)
#: How the id of a run may begin, with its dashes or without.
ID_PREFIX = {"type": "string", "pattern": "^-*([0-9a-fA-F]-*){1,32}$"}
ORDERS = {"-created_at": NEWEST_FIRST, "created_at": Keyset(("created_at", "id"))}
#: More triggers than that in one question are not looked for.
MOST_TRIGGERS = 8

FILTERS = (
    query("order", "By default newest first.", enum=list(ORDERS)),
    STATE_FILTER,
    query(
        "trigger",
        "Only runs started by one of these: api, console, cli, code, schedule, ...; "
        f"at most {MOST_TRIGGERS}, with commas between.",
    ),
    query("id", "How the id begins.", ID_PREFIX),
    query("created_after", "Only runs created at or after this moment.", datetime),
    query("created_before", "Only runs created before this moment.", datetime),
)


class RunsView(BaseView):
    """The runs of a workspace."""

    keeps_to_workflows = frozenset({"GET", "HEAD"})

    @operation(
        "runs_list", "List runs, newest first",
        answers={200: page_of(RunBrief)},
        parameters=[
            *PAGING,
            query("workflow", "Only runs of the workflow of this name."),
            *FILTERS,
            query(
                "q",
                "The beginning of an id, part of a workflow's name or title, "
                "or a whole idempotency key.",
            ),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """List runs without their data."""
        wanted = filter_of(request, workspaces=(self.workspace.pk,))
        if self.principal.workflows is not None:
            reached = Workflow.objects.visible_to(self.principal).filter(workspace=self.workspace)
            wanted = wanted.only_of(tuple(reached.values_list("pk", flat=True)))
        return page_of_runs(request, wanted)


def filter_of(request: Request, **where: tuple[int, ...]) -> RunFilter:
    """The runs that the query parameters ask for, in these workspaces or workflows.

    Raises InvalidQuery.
    """
    asked = request.query_params
    if (prefix := asked.get("id")) is not None:
        _check_prefix(prefix)
    wanted = RunFilter(
        **where,
        states=tuple(states_of(asked.get("state", ""))),
        triggers=tuple(asking.words(request, "trigger")[:MOST_TRIGGERS]),
        created_after=asking.moment(request, "created_after"),
        created_before=asking.moment(request, "created_before"),
        id_prefix=prefix or "",
        text=asked.get("q", "").strip(),
    )
    if name := asked.get("workflow"):
        found = Workflow.objects.filter(workspace_id__in=wanted.workspaces, name=name)
        # A name that is nobody's has no runs: -1 is no workflow.
        wanted = replace(wanted, workflows=tuple(found.values_list("pk", flat=True)) or (-1,))
    return wanted


def _check_prefix(prefix: str) -> None:
    try:
        queries.id_range(prefix)
    except ValueError as error:
        raise InvalidQuery("'id' must be the beginning of a run's id.") from error


def states_of(text: str) -> list[str]:
    """The states of runs in a list with commas, none for nothing; raises InvalidQuery."""
    states = [part.strip() for part in text.split(",")] if text else []
    for state in states:
        if state not in RUN_STATES:
            raise InvalidQuery(f"{state!r} is no state; known: {', '.join(RUN_STATES)}.")
    return states


def page_of_runs(request: Request, wanted: RunFilter) -> Response:
    """One page of the runs that are asked for, newest first unless ``order`` says otherwise."""
    keyset = ordered_by(request, ORDERS)

    def fetch(limit: int, after: list[Any] | None) -> list[Run]:
        place = (after[0], after[1]) if after else None
        return wanted.page(limit, place, oldest_first=not keyset.descending)

    return page_by(request, fetch, keyset, _shown)


def _shown(rows: list[Run]) -> Iterable[Any]:
    return RunBrief(rows, many=True).data


class WorkflowRunsView(WorkflowBase):
    """The runs of one workflow."""

    roles = {"POST": Role.OPERATOR}

    @operation(
        "workflows_runs", "List the runs of a workflow, newest first",
        answers={200: page_of(RunBrief)},
        parameters=[*PAGING, *FILTERS],
    )  # fmt: skip
    def get(self, request: Request, name: str) -> Response:
        """List runs without their data."""
        return page_of_runs(request, filter_of(request, workflows=(self.workflow.pk,)))

    @operation(
        "runs_start", "Start a run",
        body=StartBody, answers={201: RunDetail, 200: RunDetail},
        parameters=[IDEMPOTENCY],
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Start a run: 201, or 200 when the idempotency key was used before."""
        body = asking.body(request, StartBody)
        version, params = (
            version_to_start(self, body["version"]),
            body["params"],
        )
        key = idempotency_key(request)
        if nodes := body["start_at"]:
            outputs = body["outputs"]
            started = start_at(
                version, params, nodes=nodes, outputs=outputs, principal=self.principal,
                idempotency_key=key,
            )  # fmt: skip
        else:
            started = start_run(version, params, principal=self.principal, idempotency_key=key)
        return started_answer(self, started)


def version_to_start(view: WorkflowBase, number: int | None) -> WorkflowVersion:
    """The version of that number, else the current one; raises NotFound and NotPublished."""
    if number is not None:
        return version_of(view, number)
    if view.workflow.current_id is None:
        raise NotPublished
    versions = WorkflowVersion.objects.select_related("workflow")
    version: WorkflowVersion = versions.get(pk=view.workflow.current_id)
    return version


def started_answer(view: BaseView, started: Started) -> Response:
    """The run with its address: 201, or 200 when the idempotency key was used before."""
    run = queries.runs(view.principal).get(pk=started.run.pk)
    address = view.request.build_absolute_uri(reverse("celesta_api:run", args=[run.id]))
    headers = {"Location": address}
    if not started.created:
        headers["Idempotency-Replayed"] = "true"
    return Response(RunDetail(run).data, 201 if started.created else 200, headers=headers)


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key header; raises InvalidIdempotencyKey."""
    key: str | None = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidIdempotencyKey
    return key


class RunBase(BaseView):
    """Anything about one run, whose id says in which workspace it is."""

    keeps_to_workflows = EVERY_METHOD

    @cached_property
    def run(self) -> Run:
        """The run; raises RunNotFound, also for one of a workspace that the caller cannot see."""
        run_id: UUID = self.kwargs["run_id"]
        found = queries.runs(self.principal).filter(pk=run_id).first()
        if found is None or self.named_workspace not in (None, found.workspace.slug):
            raise RunNotFound
        return found

    @cached_property
    def workspace(self) -> Workspace:
        """The run's workspace."""
        return self.run.workspace


class RunView(RunBase):
    """One run."""

    @operation("runs_get", "Read a run", answers={200: RunDetail})
    def get(self, request: Request, run_id: UUID) -> Response:
        """Read a run with its params, output and error."""
        return Response(RunDetail(self.run).data)


class CancelView(RunBase):
    """Ends a run before its time."""

    roles = {"POST": Role.OPERATOR}

    @operation("runs_cancel", "Cancel a run", body=CancelBody, answers={200: RunDetail})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Cancel a run; results of nodes that are still at work will be refused."""
        body = asking.body(request, CancelBody)
        cancel_run(self.run.pk, by=self.principal.name, reason=body["reason"])
        return Response(RunDetail(queries.runs(self.principal).get(pk=run_id)).data)
