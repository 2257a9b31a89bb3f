"""What a WebSocket does when its stream breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from celesta.api.streams import sockets
from celesta.api.streams.cursor import Cursor
from celesta.api.streams.feed import Message
from celesta.api.streams.granting import Granted
from celesta.api.streams.topics import Topic


def test_who_listens_is_told_that_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    async def broken(*_: Any) -> AsyncIterator[Message]:
        yield Message("heartbeat")
        raise psycopg.OperationalError("server closed the connection")

    async def send(message: Any) -> None:
        sent.append(message)

    async def nothing(*_: Any, **__: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(sockets, "feed", broken)
    socket = sockets.Socket(nothing, {"path": "/api/v1/ws/"}, nothing, send, None)
    asyncio.run(socket._stream("", Granted("me", Topic(workspace=1), Cursor())))

    assert [one["type"] for one in sent] == ["websocket.send", "websocket.close"]
    assert sent[-1]["code"] == sockets.TRY_AGAIN
