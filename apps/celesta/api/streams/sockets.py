"""The streams over WebSocket: the same messages, as JSON, and the client may speak.

What a client may say, each a JSON object: ``{"token": ...}`` first, if nothing else said who it is;
``{"after": cursor}`` to go on from there; ``{"subscribe": {"run": id, "after": cursor}}``;
``{"unsubscribe": {"run": id}}`` (without a run: what the socket was opened for).
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
import psycopg

from celesta.api.problems import CONTENT_TYPE
from celesta.api.streams import limits
from celesta.api.streams.cursor import Cursor, CursorInvalid
from celesta.api.streams.doors import (
    ASGI,
    Answer,
    Receive,
    Scope,
    Send,
    ask,
    header,
    is_from_elsewhere,
    is_ours,
)
from celesta.api.streams.feed import Message, feed
from celesta.api.streams.granting import Granted

#: Seconds in which a client that came without a token must send one.
TOKEN_WITHIN: Final = 10.0
#: Seconds after which an open stream asks again whether its caller may still see that.
ASK_AGAIN: Final = 60.0
#: The stream that the socket was opened for.
OWN: Final = ""

#: Codes of closing, of the range for applications.
NORMAL, NOT_AUTHENTICATED, NO_LONGER = 1000, 4401, 4403
#: The standard's code for a server that cannot now.
TRY_AGAIN: Final = 1013

logger = logging.getLogger("celesta.streams")


async def serve(application: ASGI, scope: Scope, receive: Receive, send: Send) -> bool:
    """Serve a WebSocket; False when its address is not one of ours."""
    if not is_ours(scope):
        return False
    await receive()  # websocket.connect
    if is_from_elsewhere(scope):
        await _deny(scope, send, _problem(403, "origin_not_allowed", (
            "A page of another site may not open this; name the site in CELESTA['STREAM_ORIGINS'] "
            "if it should.")))  # fmt: skip
        return True
    answer, token = await ask(application, scope), None
    is_anonymous = answer.status == HTTPStatus.UNAUTHORIZED and not header(scope, b"authorization")
    if answer.granted is None and not is_anonymous:
        await _deny(scope, send, answer)
        return True
    await send({"type": "websocket.accept"})
    if answer.granted is None:
        token = await _token(receive)
        answer = await ask(application, scope, token=token) if token else answer
    if answer.granted is None:
        await _tell(send, _error(answer))
        await send({"type": "websocket.close", "code": NOT_AUTHENTICATED})
        return True
    await Socket(application, scope, receive, send, token).live(answer.granted)
    return True


class Socket:
    """One open WebSocket with its streams."""

    def __init__(
        self, application: ASGI, scope: Scope, receive: Receive, send: Send, token: str | None
    ) -> None:
        self._application, self._scope, self._token = application, scope, token
        self._receive, self._send = receive, send
        self._streams: dict[str, asyncio.Task[None]] = {}
        self._granted: Granted | None = None

    async def live(self, granted: Granted) -> None:
        """Until either side hangs up."""
        self._granted = granted
        self._begin(OWN, granted)
        try:
            while (message := await self._receive())["type"] == "websocket.receive":
                await self._hear(message.get("text") or message.get("bytes") or "")
        finally:
            for stream in self._streams.values():
                stream.cancel()

    # -- what the client says

    async def _hear(self, text: str | bytes) -> None:
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError:
            said = None
        match said:
            case {"after": str(after)}:
                await self._resume(after)
            case {"subscribe": {"run": str(run), **more}}:
                await self._subscribe(run, more.get("after"))
            case {"unsubscribe": {"run": str(run)}}:
                self._end(run)
            case {"unsubscribe": _}:
                self._end(OWN)
            case _:
                await self._complain("malformed_message", (
                    'Say {"after": cursor}, {"subscribe": {"run": id, "after": cursor}} or '
                    '{"unsubscribe": {"run": id}}.'))  # fmt: skip

    async def _resume(self, after: str) -> None:
        assert self._granted is not None  # noqa: S101 - set before anything is heard
        try:
            cursor = Cursor.read(after)
        except CursorInvalid as error:
            await self._complain("invalid_query", str(error))
            return
        self._end(OWN)
        granted = self._granted
        self._begin(OWN, Granted(granted.caller, granted.topic, cursor))

    async def _subscribe(self, run: str, after: Any) -> None:
        try:
            name = str(UUID(run))
        except ValueError:
            await self._complain("run_not_found", f"{run!r} is no id of a run.")
            return
        answer = await self._ask(name, after if isinstance(after, str) else "")
        if answer.granted is None:
            await _tell(self._send, {**_error(answer), "run": run})
            return
        self._end(name)
        await _tell(self._send, {"type": "subscribed", "run": name})
        self._begin(name, answer.granted)

    async def _complain(self, code: str, detail: str) -> None:
        await _tell(self._send, _error(_problem(400, code, detail)))

    # -- streams

    def _begin(self, name: str, granted: Granted) -> None:
        self._streams[name] = asyncio.create_task(self._stream(name, granted))

    def _end(self, name: str) -> None:
        stream = self._streams.pop(name, None)
        if stream is not None:
            stream.cancel()

    async def _stream(self, name: str, granted: Granted) -> None:
        try:
            await self._follow(name, granted)
        except psycopg.Error as error:
            # Silence would look like a run in which nothing happens; who is told comes back.
            logger.warning("a stream ended: %s", str(error).partition("\n")[0])
            await self._send({"type": "websocket.close", "code": TRY_AGAIN})

    async def _follow(self, name: str, granted: Granted) -> None:
        asked = time.monotonic()
        with limits.counted(granted.caller):
            async for message in feed(granted.topic, granted.cursor, granted.timeout):
                if time.monotonic() - asked > ASK_AGAIN:
                    if (await self._ask(name, "", is_open=True)).granted is None:
                        await self._send({"type": "websocket.close", "code": NO_LONGER})
                        return
                    asked = time.monotonic()
                await self._send({"type": "websocket.send", "text": _written(message)})
        self._streams.pop(name, None)
        if not self._streams:
            await self._send({"type": "websocket.close", "code": NORMAL})

    async def _ask(self, run: str, after: str, *, is_open: bool = False) -> Answer:
        """Ask about a run, or again about what the socket was opened for."""
        path = self._scope["path"]
        if run != OWN:
            base = path[: path.rindex("/v1/") + len("/v1/")]
            path = f"{base}runs/{run}/ws/"
        query = urlencode({"after": after}).encode() if run != OWN and after else None
        return await ask(
            self._application, self._scope, token=self._token, path=path,
            query=query if run == OWN or query else b"", is_open=is_open,
        )  # fmt: skip


async def _token(receive: Receive) -> str | None:
    """The token in the client's first message, if it comes in time."""
    with suppress(TimeoutError, orjson.JSONDecodeError):
        async with asyncio.timeout(TOKEN_WITHIN):
            message = await receive()
        match orjson.loads(message.get("text") or message.get("bytes") or "null"):
            case {"token": str(token)}:
                return token
    return None


async def _deny(scope: Scope, send: Send, answer: Answer) -> None:
    """Refuse the handshake; with the problem as the response, where the server can."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": NO_LONGER})
        return
    start = {"status": answer.status, "headers": answer.headers}
    await send({"type": "websocket.http.response.start", **start})
    await send({"type": "websocket.http.response.body", "body": answer.body})


async def _tell(send: Send, value: dict[str, Any]) -> None:
    await send({"type": "websocket.send", "text": orjson.dumps(value).decode()})


def _written(message: Message) -> str:
    """One message as JSON."""
    told = "null" if message.cursor is None else f'"{message.cursor}"'
    return f'{{"type":"{message.kind}","id":{told},"data":{message.body.decode()}}}'


def _problem(status: int, code: str, detail: str) -> Answer:
    body = {
        "type": f"urn:celesta:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [],
    }
    headers = [(b"content-type", CONTENT_TYPE.encode())]
    return Answer(None, status, headers, orjson.dumps(body))


def _error(answer: Answer) -> dict[str, Any]:
    """A refusal as a message."""
    with suppress(orjson.JSONDecodeError):
        body = orjson.loads(answer.body)
        if isinstance(body, dict):
            return {"type": "error", "problem": body}
    return {"type": "error", "problem": {"status": answer.status}}
