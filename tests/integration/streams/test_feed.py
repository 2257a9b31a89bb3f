"""What one stream does by itself: silence, slow readers, callers who lose their role, no ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from psycopg.types.json import Jsonb

from celesta.api.streams import feed as feeding
from celesta.api.streams import hub as hubs
from celesta.api.streams.cursor import Cursor, CursorInvalid
from celesta.api.streams.feed import Message
from celesta.api.streams.granting import Granted
from celesta.api.streams.topics import Topic
from celesta.api.views import streams
from celesta.engine.cancellation import cancel_run
from celesta.runs import connection, log_lines
from celesta.runs.log_lines import NewLine
from celesta.runs.models import Event, LogLine, Run
from tests.faults.conftest import Stage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(stage: Stage) -> Run:
    """A run that nobody works on."""
    return stage.start({"a": stage.node("test.ok")})


def write(run: Run, count: int) -> list[int]:
    """So many events, committed one by one."""
    insert = (
        "INSERT INTO celesta_event (run_id, at, kind, data)"
        " VALUES (%s, clock_timestamp(), 'noise', %s) RETURNING id"
    )
    return [connection.one(insert, (run.pk, Jsonb({"n": n})))[0] for n in range(count)]


def together(scenario: Callable[[], Any]) -> Any:
    """Run a coroutine, and let the poller end before its loop does."""

    async def whole() -> Any:
        try:
            return await scenario()
        finally:
            poller = hubs.hub()._poller
            if poller is not None:
                await asyncio.wait([poller], timeout=20)

    return asyncio.run(whole())


async def until(stream: AsyncIterator[Message], kind: str, count: int) -> list[Message]:
    """So many messages of one kind."""
    found: list[Message] = []
    async with asyncio.timeout(60):
        async for message in stream:
            found += [message] * (message.kind == kind)
            if len(found) == count:
                break
    await stream.aclose()  # type: ignore[attr-defined]
    return found


def test_silence_is_broken_by_a_heartbeat(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "HEARTBEAT", 0.3)
    beats = together(lambda: until(feeding.feed(Topic(run=run.pk), Cursor()), "heartbeat", 3))
    assert len(beats) == 3
    assert streams.written(beats[0]) == b": heartbeat\n\n"


def test_a_slow_reader_misses_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "MAX_WAITING", 5)
    before = list(Event.objects.filter(run_id=run.pk).order_by("id").values_list("id", flat=True))

    async def scenario() -> tuple[list[int], list[int]]:
        seen, written = list[int](), list[int]()
        async for message in feeding.feed(Topic(run=run.pk), Cursor()):
            if message.cursor is not None and message.cursor.event is not None:
                seen.append(message.cursor.event)
            if len(seen) == len(before):
                await asyncio.sleep(1)  # so that the catching up is over; no harm if it is not
                written += await asyncio.to_thread(write, run, 40)
            if len(seen) == len(before) + 3:
                await asyncio.sleep(1.5)  # the poller puts more down than may lie there, as a rule
                written += await asyncio.to_thread(write, run, 10)
            if len(seen) >= len(before) + 50:
                break
        return seen, written

    seen, written = together(scenario)
    assert seen == before + written


def test_who_may_not_see_it_any_more_is_cut_off(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "ASK_AGAIN", 0.5)
    monkeypatch.setattr(feeding, "HEARTBEAT", 0.2)
    asked: list[bool] = []

    async def may_still() -> bool:
        asked.append(len(asked) < 2)
        return asked[-1]

    async def scenario() -> list[bytes]:
        granted = Granted("ann", Topic(run=run.pk), Cursor())
        async with asyncio.timeout(60):
            return [part async for part in streams.sent(granted, may_still)]

    parts = together(scenario)
    assert asked == [True, True, False]
    assert parts[0].startswith(b"retry: ")


def test_the_end_waits_for_log_lines_behind_a_gap(run: Run) -> None:
    """Numbers that were given out and never committed come before the run's last line."""

    def speak_and_end() -> int:
        connection.rows("SELECT nextval('celesta_log_line_number_seq') FROM generate_series(1, 9)")
        start = datetime.now(UTC)
        log_lines.store([NewLine(str(run.pk), 0, 0, 1, 1, start, 20, "shop", "the last word")])
        cancel_run(run.pk, by="test")
        return LogLine.objects.get(run_id=run.pk).number

    async def scenario() -> tuple[int, list[Message]]:
        async with asyncio.timeout(60):
            stream = feeding.feed(Topic(run=run.pk), Cursor())
            told = [await anext(stream)]
            number = await asyncio.to_thread(speak_and_end)
            return number, [*told, *[message async for message in stream]]

    number, told = together(scenario)
    assert [one.kind for one in told][-1] == "end"
    assert [one.cursor.line for one in told if one.kind == "log" and one.cursor] == [number]


def test_a_stream_can_have_a_limit(run: Run) -> None:
    async def scenario() -> list[str]:
        async with asyncio.timeout(60):
            feed = feeding.feed(Topic(run=run.pk), Cursor(), 0.5)
            return [message.kind async for message in feed]

    assert set(together(scenario)) == {"event"}  # no end: the run goes on


def test_without_asgi_the_answer_is_what_there_is(
    stage: Stage, run: Run, token: str, client: Client
) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/v1/runs/{run.pk}/stream/"
    first = client.get(path, headers=headers)
    assert first.headers["Content-Type"] == "text/event-stream"
    kinds = [one.kind for one in Event.objects.filter(run_id=run.pk).order_by("id")]
    assert first.content.count(b"event: event") == len(kinds)
    assert b"event: end" not in first.content
    cursor = first.content.split(b"id: ")[-1].split(b"\n")[0].decode()
    again = client.get(path, headers={**headers, "Last-Event-ID": cursor})
    assert b"event:" not in again.content
    (new,) = write(run, 1)
    more = client.get(path, headers={**headers, "Last-Event-ID": cursor})
    assert f'"id":{new}'.encode() in more.content
    wide = client.get("/api/v1/stream/", headers={**headers, "Last-Event-ID": f"{new - 1}.0"})
    assert f'"id":{new}'.encode() in wide.content


@pytest.mark.parametrize("text", ["", "x", "-1", "1.", ".1", "1.2.3", "1.2.end.end", "1" * 20])
def test_a_cursor_that_is_none_is_told(text: str) -> None:
    with pytest.raises(CursorInvalid, match="send back the id"):
        Cursor.read(text)


def test_a_cursor_reads_what_it_wrote() -> None:
    for text in ("0.0", "4711.80", "4711.80.end"):
        assert str(Cursor.read(text)) == text
    assert Cursor.read("7") == Cursor(7, None)
