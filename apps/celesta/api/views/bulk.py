"""Many runs of one workflow in one call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from celesta.access.models import Role
from celesta.api import asking
from celesta.api.problems import problem
from celesta.api.refusals import BulkRefused
from celesta.api.schema.operations import operation
from celesta.api.shapes.runs import BulkBody, BulkStarted
from celesta.api.views.runs import version_to_start
from celesta.api.views.workflows import WorkflowBase
from celesta.engine.start_many import BegunRun, SomeRefused, Wanted, start_each
from celesta.graph.problems import Problem
from celesta.runs.errors import EngineError


class BulkView(WorkflowBase):
    """Starts many runs."""

    roles = {"POST": Role.OPERATOR}

    @operation(
        "runs_start_bulk", "Start up to 1,000 runs of a workflow",
        body=BulkBody, answers={200: BulkStarted},
    )  # fmt: skip
    def post(self, request: Request, name: str) -> Response:
        """Start runs; each is started or refused by itself, unless ``atomic`` is true."""
        asked = asking.body(request, BulkBody)
        wanted = [Wanted(item["params"], item["idempotency_key"]) for item in asked["runs"]]
        try:
            outcomes = start_each(
                version_to_start(self, asked["version"]),
                wanted,
                by=self.principal.name,
                trigger="api",
                atomic=asked["atomic"],
            )
        except SomeRefused as refused:
            raise BulkRefused(problems=list(_problems(refused.outcomes))) from refused
        return Response(BulkStarted(_told(outcomes)).data)


def _told(outcomes: Sequence[BegunRun | EngineError]) -> dict[str, Any]:
    results = [_result(one) for one in outcomes]
    codes = [result["status"] for result in results]
    created, replayed = codes.count(201), codes.count(200)
    refused = len(codes) - created - replayed
    return {"results": results, "created": created, "replayed": replayed, "refused": refused}


def _result(outcome: BegunRun | EngineError) -> dict[str, Any]:
    if isinstance(outcome, BegunRun):
        return {"status": 201 if outcome.created else 200, "id": outcome.id, "problem": None}
    told = problem(outcome.status, outcome.code, outcome.detail, outcome.problems)
    return {"status": outcome.status, "id": None, "problem": told.data}


def _problems(outcomes: Sequence[BegunRun | EngineError]) -> Iterator[Problem]:
    """Every refusal, with the place of its run before its own path."""
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, EngineError):
            own = list(outcome.problems) or [Problem(outcome.code, "", outcome.detail)]
            for one in own:
                path = f"runs[{index}].{one.path}".rstrip(".")
                yield Problem(one.code, path, one.message, one.hint)
