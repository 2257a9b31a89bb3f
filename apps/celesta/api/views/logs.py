"""What the nodes of a run logged and printed."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from celesta.api.asking import number
from celesta.api.pagination import limit_of
from celesta.api.refusals import InvalidQuery
from celesta.api.schema.operations import PAGING, operation, page_of, query, whole
from celesta.api.shapes.runs import LogLineShape
from celesta.api.views.run_parts import LAST_EVENT, LAST_SCOPE, SCOPE, index_of
from celesta.api.views.runs import RunBase
from celesta.runs import log_queries, queries
from celesta.runs.models import LogLine

LEVELS: Final[dict[str, int]] = {
    name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
}
LAST_ATTEMPT: Final = 2**15 - 1

FILTERS: Final = (
    query("level", "The least level.", enum=list(LEVELS)),
    query("after", "The last line that was seen.", whole(0)),
    PAGING[1],
)


class LogsView(RunBase):
    """The lines of all nodes of a run."""

    @operation(
        "runs_logs", "Read what the nodes of a run logged and printed",
        answers={200: page_of(LogLineShape)}, parameters=FILTERS,
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID) -> Response:
        """Read lines as they were stored; none is ever missed by going on from the last one."""
        return self.page(request, log_queries.of_run(run_id))

    def page(self, request: Request, lines: QuerySet[LogLine]) -> Response:
        """One page of these lines."""
        if level := request.query_params.get("level"):
            lines = lines.filter(level__gte=_level(level))
        limit = limit_of(request)
        found = log_queries.settled(lines, number(request, "after", LAST_EVENT), limit)
        address = request.build_absolute_uri()
        more = None
        if len(found) == limit:
            more = replace_query_param(address, "after", found[-1].number)
        plan = queries.plan_of(self.run.version_id)
        shown = LogLineShape([log_queries.words(plan, line) for line in found], many=True)
        return Response({"results": shown.data, "next": more})


class NodeLogsView(LogsView):
    """The lines of one node of a run."""

    @operation(
        "runs_node_logs", "Read what a node logged and printed",
        answers={200: page_of(LogLineShape)},
        parameters=[
            SCOPE,
            query("attempt", "Only this attempt; from 1.", whole(0)),
            *FILTERS,
        ],
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID, node: str) -> Response:  # type: ignore[override]
        """Read lines of all attempts, or of one."""
        index = index_of(queries.plan_of(self.run.version_id), node)
        scope = number(request, "scope", LAST_SCOPE)
        attempt = number(request, "attempt", LAST_ATTEMPT) or None
        return self.page(request, log_queries.of_node(run_id, scope, index, attempt))


def _level(name: str) -> int:
    level = LEVELS.get(name.upper())
    if level is None:
        raise InvalidQuery(f"'level' must be one of: {', '.join(LEVELS)}.")
    return level
