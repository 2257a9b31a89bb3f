"""One stream from its cursor on: first what is past, then what comes, each thing once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import orjson

from celesta.api.streams.cursor import Cursor
from celesta.api.streams.hub import Hub, Reader, hub
from celesta.api.streams.topics import Topic
from celesta.runs import tailing, visible
from celesta.runs.tailing import News, Wanted

#: Seconds of silence after which something is said, so that no proxy takes the line for dead.
HEARTBEAT: Final = 15.0
#: Seconds for which a run that is over is watched: the last log lines of its nodes come late.
LINGER: Final = 2.0
#: What is read from the past at once.
PAGE: Final = 500

Read = Callable[[Wanted, int, int, int], tuple[list[News], int]]


@dataclass(frozen=True, slots=True)
class Message:
    """What a stream sends: ``kind`` is event, log, end or heartbeat (often without a cursor)."""

    kind: str
    cursor: Cursor | None = None
    body: bytes = b"{}"


async def feed(
    topic: Topic,
    cursor: Cursor,
    timeout: float | None = None,  # noqa: ASYNC109 - no error: the end
) -> AsyncIterator[Message]:
    """Messages of a topic after the cursor: of a run until it is over, at most so many seconds."""
    here = hub()
    reader = here.join(topic)
    end = _End(topic, timeout)
    try:
        while True:
            begin = await asyncio.shield(reader.begin)
            cursor = _begun(cursor, begin)
            async for news in _past(here, topic, cursor, begin):
                cursor = cursor.past(news)
                end.heed(news)
                yield _message(news, cursor)
            cursor = _reached(cursor, *begin)
            async for one in _live(reader, end):
                if one is None:
                    yield Message("heartbeat")
                    continue
                end.heed(one)
                if cursor.has(one):
                    continue  # seen in another process that had looked further than this one
                cursor = cursor.past(one)
                yield _message(one, cursor)
            if not reader.is_behind:
                if end.is_of_run:
                    yield end.message(cursor)
                return
            # Too slow for the hub: what was left out is read from the database.
            here.leave(reader)
            reader = here.join(topic)
    finally:
        here.leave(reader)


def recent(topic: Topic, cursor: Cursor) -> list[Message]:
    """What there is after the cursor, at most two pages; and the end, if that is all of it.

    For servers that cannot hold a stream open: the reader comes back for more.
    """
    begin = visible.present("celesta_event"), visible.present("celesta_log_line")
    cursor = _begun(cursor, begin)
    end, messages, whole = _End(topic), list[Message](), True
    for read, after, upto in _parts(topic, cursor, begin):
        found, reached = read(topic.wanted, after, upto, PAGE)
        whole = whole and reached >= upto
        for news in found:
            if topic.has(news):
                cursor = cursor.past(news)
                end.heed(news)
                messages.append(_message(news, cursor))
        # Also past what was left out, or it would be looked through again.
        cursor = _reached(cursor, reached if read is tailing.events else 0,
                          reached if read is tailing.lines else 0)  # fmt: skip
    if whole and end.left() <= 0:
        return [*messages, end.message(cursor)]
    return [*messages, Message("heartbeat", cursor)]


def _begun(cursor: Cursor, begin: tuple[int, int]) -> Cursor:
    """ "From now on" is where the hub stands."""
    return replace(
        cursor,
        event=begin[0] if cursor.event is None else cursor.event,
        line=begin[1] if cursor.line is None else cursor.line,
    )


def _reached(cursor: Cursor, event: int, line: int) -> Cursor:
    return replace(cursor, event=max(cursor.event or 0, event), line=max(cursor.line or 0, line))


def _parts(topic: Topic, cursor: Cursor, begin: tuple[int, int]) -> list[tuple[Read, int, int]]:
    """What there is to read, from where to where."""
    parts: list[tuple[Read, int, int]] = [(tailing.events, cursor.event or 0, begin[0])]
    if topic.run is not None:
        parts.append((tailing.lines, cursor.line or 0, begin[1]))
    return parts


async def _past(
    here: Hub, topic: Topic, cursor: Cursor, begin: tuple[int, int]
) -> AsyncIterator[News]:
    for read, after, upto in _parts(topic, cursor, begin):
        while after < upto:
            found, after = await here.past(read, topic.wanted, after, upto, PAGE)
            for news in found:
                if topic.has(news):
                    yield news


async def _live(reader: Reader, end: _End) -> AsyncIterator[News | None]:
    """News as they come, None for a heartbeat; ends when the run does, or the reader is behind."""
    while not reader.is_behind:
        for news in reader.take():
            yield news
        left = end.left(reader.is_held)
        if left <= 0:
            for news in reader.take():  # what came while the last was sent
                yield news
            return
        try:
            async with asyncio.timeout(min(left, HEARTBEAT)):
                await reader.came.wait()
        except TimeoutError:
            if left > HEARTBEAT:
                yield None


class _End:
    """When a run's stream ends: a moment after its run, if it has one."""

    def __init__(self, topic: Topic, timeout: float | None = None) -> None:
        self._run, self._state, self._at = topic.run, "", float("inf")
        self._limit = float("inf") if timeout is None else time.monotonic() + timeout
        if topic.over and topic.over_at is not None:
            # Its last event may be young still, and wait for a gap before it.
            self._set(topic.over, topic.over_at, LINGER + visible.SETTLED_AFTER)

    def heed(self, news: News) -> None:
        """The run's last event sets the end."""
        if self._run is not None and news.is_ending:
            self._set(news.kind.removeprefix("run_"), news.at, LINGER)

    def _set(self, state: str, at: datetime, linger: float) -> None:
        age = max(0.0, (datetime.now(UTC) - at).total_seconds())
        self._state, self._at = state, time.monotonic() + max(0.0, linger - age)

    def left(self, is_held: bool = False) -> float:
        """Seconds until then; later while log lines are held back that may be of this run."""
        at = self._at + visible.SETTLED_AFTER if is_held else self._at
        return min(at, self._limit) - time.monotonic()

    @property
    def is_of_run(self) -> bool:
        """True when the run has ended, not only the time."""
        return self._at <= time.monotonic() < self._limit

    def message(self, cursor: Cursor) -> Message:
        """The last message."""
        body = orjson.dumps({"run": self._run, "state": self._state})
        return Message("end", replace(cursor, is_end=True), body)


def _message(news: News, cursor: Cursor) -> Message:
    return Message("log" if news.is_line else "event", cursor, orjson.dumps(news.words))
