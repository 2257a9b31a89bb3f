"""Asking the REST view of a WebSocket's address whether its caller may follow what is there.

The question goes as a request through the project's whole ASGI application: its middleware,
sessions and tokens decide as they do for a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.urls import Resolver404, resolve

from celesta import conf
from celesta.api.streams.granting import OFFER, Granted, Offer

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGI = Callable[..., Awaitable[None]]

NAMES: Final = ("celesta_api:socket", "celesta_api:run-socket")
#: Headers of the handshake that are no part of a request.
_OF_HANDSHAKE: Final = (b"upgrade", b"connection", b"sec-websocket-")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was granted, or a refusal as the API words it."""

    granted: Granted | None
    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


def is_ours(scope: Scope) -> bool:
    """True for the address of one of our WebSockets."""
    try:
        found = resolve(scope["path"].removeprefix(scope.get("root_path", "")))
    except Resolver404:
        return False
    return found.view_name in NAMES


def header(scope: Scope, name: bytes) -> str | None:
    """One header of the handshake."""
    found = [value for key, value in scope["headers"] if key.lower() == name]
    return found[0].decode("latin-1") if found else None


def is_from_elsewhere(scope: Scope) -> bool:
    """True when a page of another site opened it: the browser would send our cookies along."""
    origin = header(scope, b"origin")
    if origin is None:
        return False  # not a browser
    if origin in conf.get("STREAM_ORIGINS"):
        return False
    try:
        return urlsplit(origin).netloc != ASGIRequest(_request(scope, ""), None).get_host()  # type: ignore[arg-type]
    except (DisallowedHost, ValueError):
        return True


async def ask(
    application: ASGI, scope: Scope, *, token: str | None = None, path: str = "",
    query: bytes | None = None, is_open: bool = False,
) -> Answer:  # fmt: skip
    """Whether the caller may follow what is at the socket's address, or at another one."""
    offer, start, body = Offer(is_open=is_open), dict[str, Any](), bytearray()
    request = _request(scope, path, query)
    if token is not None:
        authorization = (b"authorization", b"Bearer " + token.encode("latin-1", "replace"))
        request["headers"] = [
            *(pair for pair in request["headers"] if pair[0] != b"authorization"), authorization
        ]  # fmt: skip
    request[OFFER] = offer
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            await asyncio.Event().wait()  # the caller does not hang up before the answer
        given = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            body.extend(message.get("body", b""))

    await application(request, receive, send)
    return Answer(offer.granted, start.get("status", 500), start.get("headers", []), bytes(body))


def _request(scope: Scope, path: str, query: bytes | None = None) -> dict[str, Any]:
    """The handshake as a GET request, for another path if one is given."""
    path = path or scope["path"]
    return {
        **scope,
        "type": "http",
        "method": "GET",
        "http_version": "1.1",
        "scheme": {"wss": "https", "ws": "http"}.get(scope.get("scheme", ""), "http"),
        "path": path,
        "raw_path": path.encode(),
        "query_string": scope.get("query_string", b"") if query is None else query,
        "headers": [
            (name, value)
            for name, value in scope["headers"]
            if not name.lower().startswith(_OF_HANDSHAKE)
        ],
    }
