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
from celesta.runs import connection, log_lines, visible
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


def test_lines_that_nobody_followed_do_not_keep_those_of_a_run_back(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visible, "STEP", 5)
    monkeypatch.setattr(visible, "GAP_WINDOW", 5)
    start = datetime.now(UTC)

    def speak(*texts: str, seq: int = 0) -> None:
        said = [(seq + n, text) for n, text in enumerate(texts)]
        log_lines.store([NewLine(str(run.pk), 0, 0, 1, n, start, 20, "shop", t) for n, t in said])

    def speak_and_end() -> None:
        speak("the last word", seq=1000)
        cancel_run(run.pk, by="test")

    async def scenario() -> list[Message]:
        async with asyncio.timeout(60):
            # Given somebody who follows a workspace, in which much was logged meanwhile,
            overview = feeding.feed(Topic(workspace=run.workspace_id), Cursor(None, None))
            first = asyncio.ensure_future(anext(overview))
            await asyncio.sleep(1)  # the poller has begun; no harm if it has not
            await asyncio.to_thread(speak, *(f"line {n}" for n in range(200)))
            # when somebody begins to follow a run, which soon ends,
            stream = feeding.feed(Topic(run=run.pk), Cursor(line=None))
            told = [await anext(stream)]
            await asyncio.to_thread(speak_and_end)
            told += [message async for message in stream]
            await first
            await overview.aclose()  # type: ignore[attr-defined]
            return told

    # then they see its last line before the end.
    told = together(scenario)
    assert told[-1].kind == "end"
    assert b"the last word" in b"".join(one.body for one in told if one.kind == "log")


def test_who_comes_back_from_nowhere_is_told_the_end(run: Run) -> None:
    """With a cursor of another database, say, or of this one before a backup was restored."""

    async def scenario() -> list[Message]:
        async with asyncio.timeout(30):
            stream = feeding.feed(Topic(run=run.pk), Cursor(visible.LAST_ID, visible.LAST_ID))
            ending = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(1)  # it has begun to follow; no harm if it has not
            await asyncio.to_thread(cancel_run, run.pk, by="test")
            return [await ending, *[message async for message in stream]]

    assert [message.kind for message in together(scenario)] == ["end"]


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
