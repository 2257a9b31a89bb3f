"""Waiting for a run without holding a thread: the view sleeps in the event loop between looks."""

from __future__ import annotations

import math
from typing import Any, Final
from uuid import UUID

from asgiref.sync import markcoroutinefunction, sync_to_async
from django.db import connections
from django.http import HttpRequest, HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.api.refusals import InvalidQuery
from celesta.api.schema.operations import operation, query
from celesta.api.shapes.runs import AwaitedRun, RunDetail
from celesta.api.views.runs import STATE_FILTER, RunBase, states_of
from celesta.engine.awaiting import await_run_async, give_back_connections
from celesta.runs.states import TERMINAL_RUN

LONGEST_WAIT: Final = 60.0  # seconds, as all of these
DEFAULT_WAIT: Final = 30.0
SECONDS: Final = {"type": "number", "minimum": 0, "maximum": LONGEST_WAIT}


class AwaitView(RunBase):
    """Answers when the run has reached a state or can never reach it, or when the time is up."""

    #: Seconds that :meth:`get` found worth waiting; 0 when there is nothing to wait for.
    worth = 0.0
    states: frozenset[str] = TERMINAL_RUN

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The usual view, wrapped in a coroutine that asks it again until it need not wait."""
        view: Any = super().as_view(**initkwargs)

        async def entry(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            return await answer(cls, request, kwargs)

        entry.cls, entry.initkwargs = view.cls, view.initkwargs  # type: ignore[attr-defined]
        # As for every view of the framework: it checks sessions itself, tokens need no such check.
        entry.csrf_exempt = True  # type: ignore[attr-defined]
        entry.login_required = False  # type: ignore[attr-defined]
        # A project with ATOMIC_REQUESTS could have no coroutines as views; this one only reads.
        entry._non_atomic_requests = set(connections)  # type: ignore[attr-defined]  # noqa: SLF001
        return markcoroutinefunction(entry)

    @operation(
        "runs_await", "Wait until a run has reached a state",
        answers={200: AwaitedRun},
        parameters=[
            STATE_FILTER,
            query("timeout", f"Seconds, by default {DEFAULT_WAIT:g}.", SECONDS),
        ],
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID) -> Response:
        """Show the run as it is; final states are awaited when ``state`` is not given."""
        if text := request.query_params.get("state"):
            self.states = frozenset(states_of(text))
        reached = self.run.state in self.states
        timeout = _timeout(request)
        self.worth = 0.0 if reached or self.run.state in TERMINAL_RUN else timeout
        return Response({**RunDetail(self.run).data, "reached": reached})


def _timeout(request: Request) -> float:
    try:
        seconds = float(request.query_params.get("timeout", DEFAULT_WAIT))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_WAIT:
        raise InvalidQuery(f"'timeout' must be seconds, from 0 to {LONGEST_WAIT:g}.")
    return seconds


async def answer(
    cls: type[AwaitView], request: HttpRequest, kwargs: dict[str, Any]
) -> HttpResponseBase:
    """Ask the view, and once more when the wait is over: what may be seen is checked both times."""
    view, response = await _ask(cls, request, kwargs)
    if not view.worth:
        return response
    await await_run_async(kwargs["run_id"], view.states, view.worth)
    _, response = await _ask(cls, request, kwargs)
    return response


@sync_to_async
def _ask(
    cls: type[AwaitView], request: HttpRequest, kwargs: dict[str, Any]
) -> tuple[AwaitView, HttpResponseBase]:
    view = cls()
    view.setup(request, **kwargs)
    response = view.dispatch(request, **kwargs)
    give_back_connections()
    return view, response
