"""Server-Sent Events: messages as they come, whatever happens to the connection meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx

from celesta.client.errors import Unreachable, of_response
from celesta.client.transport import NOTHING_DONE, UNKNOWN, Transport, asked_for, pause_before

SSE: Final = "text/event-stream"
#: Seconds of silence after which a connection is taken for dead: twice the server's heartbeat.
SILENCE: Final = 30.0
#: Seconds until the next connection when one has ended, unless the server says otherwise.
RETRY: Final = 1.0
#: Answers of servers, and of what stands before them, that have no streams.
NO_STREAM: Final = (404, 405, 406, 415, 426, 501)


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``id`` is what is sent back to go on behind it."""

    id: str
    event: str
    data: dict[str, Any]


class NotStreamed(Exception):
    """The server answers this address, but not with a stream."""


def messages(
    transport: Transport, path: str, after: str = "", sleep: Callable[[float], None] = time.sleep
) -> Iterator[Message]:
    """Every message behind ``after``, each once, until the server says that there are no more.

    A lost connection is made anew behind the last message. Raises NotStreamed when the first
    answer is no stream, Unreachable when the server stays away, and what ``Transport.call`` raises.
    """
    last, failed, pause = after, 0, RETRY
    while True:
        try:
            with transport.open(path, {"Accept": SSE, "Last-Event-ID": last}, SILENCE) as response:
                if response.status_code == httpx.codes.NO_CONTENT:
                    return
                _check(response)
                for field, value in _fields(response):
                    if field == "retry":
                        pause = value
                        continue
                    failed, last = 0, value.id or last
                    yield value
                    if value.event == "end":
                        return
            wait = pause
        except _Later as later:
            failed += 1
            if failed >= transport.attempts:
                raise later.error from None
            wait = later.wait or pause_before(failed)
        except httpx.TransportError as error:
            failed += 1
            if failed >= transport.attempts:
                raise Unreachable(f"{transport.base}: {error or type(error).__name__}") from error
            wait = pause_before(failed)
        sleep(wait)


class _Later(Exception):
    """An answer after which the same is asked again; ``error`` is what it says."""

    def __init__(self, response: httpx.Response) -> None:
        self.wait = asked_for(response)
        self.error = of_response(response)


def _check(response: httpx.Response) -> None:
    """Raise what an answer that is no stream means."""
    if response.status_code in NO_STREAM:
        raise NotStreamed
    if response.status_code >= httpx.codes.BAD_REQUEST:
        response.read()
        if response.status_code in (*NOTHING_DONE, *UNKNOWN):
            raise _Later(response)
        raise of_response(response)
    if not response.headers.get("Content-Type", "").startswith(SSE):
        raise NotStreamed


def _fields(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """``("message", Message)`` for each message, ``("retry", seconds)`` for each such field.

    A message that broke off is none: it comes again, behind the one before it.
    """
    told: dict[str, str] = {}
    for line in _lines(response):
        if not line:
            if "data" in told:
                data = json.loads(told["data"])
                yield "message", Message(told.get("id", ""), told.get("event", "message"), data)
            told = {}
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "retry" and value.isdigit():
            yield "retry", int(value) / 1000
        elif name == "data" and "data" in told:
            told["data"] += f"\n{value}"
        elif name:  # a line that begins with a colon is a heartbeat
            told[name] = value


def _lines(response: httpx.Response) -> Iterator[str]:
    """Whole lines. httpx's own would end at U+2028 too, which may stand in a text."""
    rest = b""
    for piece in response.iter_bytes():
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.removesuffix(b"\r").decode()
