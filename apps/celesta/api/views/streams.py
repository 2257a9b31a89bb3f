"""Live streams over Server-Sent Events, and the doors of those over WebSocket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final
from uuid import UUID

from asgiref.sync import markcoroutinefunction, sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from celesta.api import raw
from celesta.api.base import BaseView
from celesta.api.refusals import InvalidQuery, UpgradeRequired
from celesta.api.schema.operations import header, operation, query
from celesta.api.shapes.runs import StreamMessage
from celesta.api.streams import limits
from celesta.api.streams.cursor import Cursor, CursorInvalid
from celesta.api.streams.feed import Message, feed, recent
from celesta.api.streams.granting import OFFER, Granted, Offer
from celesta.api.streams.topics import Topic
from celesta.api.views.runs import RunBase
from celesta.engine.awaiting import give_back_connections
from celesta.runs.states import TERMINAL_RUN

#: Milliseconds after which a browser comes back when the connection was lost.
RETRY: Final = 1000
#: The longest limit in seconds that a caller may set.
LONGEST: Final = 60.0
#: Seconds after which an open stream asks again whether its caller may still see that.
ASK_AGAIN: Final = 60.0
SSE: Final = "text/event-stream"
#: An empty one is none.
CURSOR: Final = {"type": "string", "pattern": r"^([0-9]{1,19}(\.[0-9]{1,19}(\.end)?)?)?$"}
RESUMING: Final = (
    header("Last-Event-ID", "The id of the last message seen; what came after it follows.", CURSOR),
    query("after", "The same, for callers that cannot set headers.", CURSOR),
    query(
        "timeout",
        "Seconds after which the stream ends by itself; without it, it does not.",
        {"type": "number", "minimum": 0, "maximum": LONGEST},
    ),
)
FILTERS: Final = (
    query("workflow", "Only events of the runs of this workflow."),
    query("kind", "Only events of these kinds, with commas between: run_failed,run_succeeded."),
)


class StreamBase(BaseView):
    """A view that grants a stream: as any other it authenticates, and checks role and workspace."""

    content_negotiation_class = raw.AnyAccept
    granted: Granted | None = None
    #: True when an open stream asks again.
    is_open = False

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The usual view, wrapped in a coroutine that sends the stream which the view granted."""
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

    def grant(self, request: Request, topic: Topic, otherwise: Cursor) -> Response:
        """Note what may be followed; raises InvalidQuery for a cursor that is none, Throttled."""
        text = request.headers.get("Last-Event-ID") or request.query_params.get("after")
        try:
            cursor = Cursor.read(text) if text else otherwise
        except CursorInvalid as error:
            raise InvalidQuery(str(error)) from error
        if not self.is_open:
            limits.demand(self.principal.name)
        self.granted = Granted(self.principal.name, topic, cursor, _timeout(request))
        return Response(None)


class RunTopic(RunBase, StreamBase):
    """The topic of one run."""

    def topic(self) -> Topic:
        """The run, and whether it is over already."""
        over = self.run.state in TERMINAL_RUN
        return Topic(
            run=self.run.pk,
            over=self.run.state if over else "",
            over_at=self.run.finished_at if over else None,
        )


class RunStreamView(RunTopic):
    """One run, live."""

    @operation(
        "runs_stream", "Follow a run: its events and the log lines of its nodes, as they come",
        answers={(200, SSE): StreamMessage, 204: None}, parameters=RESUMING,
    )  # fmt: skip
    def get(self, request: Request, run_id: UUID) -> Response:
        """From the run's beginning, or from the message that was seen last; ends with the run."""
        return self.grant(request, self.topic(), Cursor())


class StreamView(StreamBase):
    """A workspace, live."""

    keeps_to_workflows = frozenset({"GET", "HEAD"})

    def topic(self, request: Request) -> Topic:
        """The workspace, and of which events."""
        kinds = request.query_params.get("kind", "")
        return Topic(
            workspace=self.workspace.pk,
            workflow=request.query_params.get("workflow", ""),
            kinds=frozenset(kind.strip() for kind in kinds.split(",") if kind.strip()),
            within=self.principal.workflows,
        )

    @operation(
        "stream", "Follow the events of all runs of a workspace, as they come", tag="runs",
        answers={(200, SSE): StreamMessage}, parameters=[*RESUMING, *FILTERS],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """From now on, or from the message that was seen last."""
        return self.grant(request, self.topic(request), Cursor(None, None))


def _timeout(request: Request) -> float | None:
    text = request.query_params.get("timeout")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST:
        raise InvalidQuery(f"'timeout' must be seconds, from 0 to {LONGEST:g}.")
    return seconds


async def answer(
    cls: type[StreamBase], request: HttpRequest, kwargs: dict[str, Any]
) -> HttpResponseBase:
    """The stream that the view grants, or its refusal."""
    granted, response = await _ask(cls, request, kwargs)
    if granted is None or OFFER in getattr(request, "scope", {}):
        return response
    if granted.cursor.is_end:
        return HttpResponse(status=204)  # tells a browser not to come back
    if not isinstance(request, ASGIRequest):
        return await _recent(granted)

    async def may_still() -> bool:
        again, _ = await _ask(cls, request, kwargs, is_open=True)
        return again is not None

    return _headed(StreamingHttpResponse(sent(granted, may_still)))


async def sent(granted: Granted, may_still: Any) -> AsyncIterator[bytes]:
    """A stream as bytes; every minute it is asked whether the caller may still see it."""
    asked = time.monotonic()
    with limits.counted(granted.caller):
        yield b"retry: %d\n\n" % RETRY
        async for message in feed(granted.topic, granted.cursor, granted.timeout):
            if time.monotonic() - asked > ASK_AGAIN:
                if not await may_still():
                    return
                asked = time.monotonic()
            yield written(message)


def written(message: Message) -> bytes:
    """One message in the form of Server-Sent Events."""
    head = b"" if message.cursor is None else b"id: %s\n" % str(message.cursor).encode()
    if message.kind == "heartbeat":
        return head + b": heartbeat\n\n"
    return b"%sevent: %s\ndata: %s\n\n" % (head, message.kind.encode(), message.body)


async def _recent(granted: Granted) -> HttpResponseBase:
    """For WSGI, where a stream would hold a thread: what there is. Browsers come back for more."""
    messages = await asyncio.to_thread(_recent_now, granted)
    parts: Iterable[bytes] = (b"retry: %d\n\n" % RETRY, *map(written, messages))
    return _headed(HttpResponse(b"".join(parts)))


def _recent_now(granted: Granted) -> list[Message]:
    from celesta.runs import connection

    with connection.borrowed():
        return recent(granted.topic, granted.cursor)


def _headed(response: HttpResponseBase) -> HttpResponseBase:
    response.headers["Content-Type"] = SSE
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would keep it to itself
    response.headers["Content-Encoding"] = "identity"  # and GZipMiddleware, too
    return response


@sync_to_async
def _ask(
    cls: type[StreamBase], request: HttpRequest, kwargs: dict[str, Any], *, is_open: bool = False
) -> tuple[Granted | None, HttpResponseBase]:
    view = cls()
    view.is_open = is_open
    view.setup(request, **kwargs)
    response = view.dispatch(request, **kwargs)
    give_back_connections()
    return view.granted, response


class RunSocketView(RunTopic):
    """The door of a run's WebSocket: the same checks; what is granted goes to the socket."""

    schema = None

    def get(self, request: Request, run_id: UUID) -> Response:
        """Hand over the run; a plain request is told to ask for a WebSocket."""
        return _offered(self, request, self.topic(), Cursor())


class SocketView(StreamView):
    """The door of a workspace's WebSocket."""

    schema = None

    def get(self, request: Request) -> Response:
        """Hand over the workspace; a plain request is told to ask for a WebSocket."""
        return _offered(self, request, self.topic(request), Cursor(None, None))


def _offered(view: StreamBase, request: Request, topic: Topic, otherwise: Cursor) -> Response:
    scope = getattr(request._request, "scope", {})  # noqa: SLF001 - there is no other way
    offer: Offer | None = scope.get(OFFER)
    if offer is None:
        raise UpgradeRequired
    view.is_open = offer.is_open
    response = view.grant(request, topic, otherwise)
    offer.granted = view.granted
    return response


# Like the streams of the same addresses: parameters, and the scopes that a token needs.
RunSocketView.get.takes = RunStreamView.get.takes  # type: ignore[attr-defined]
SocketView.get.takes = StreamView.get.takes  # type: ignore[attr-defined]
