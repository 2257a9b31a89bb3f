"""The poller: one task a web process looks for news, for all streams that are open there.

See docs/decisions/0030-streams.md. Everything here runs on one event loop; only queries run in
threads. The hub's *horizon* is up to where it has looked. A reader that joins begins at the horizon
of the next look, reads what came before from the database itself, and is handed what comes after.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg

from celesta.api.streams.topics import Topic
from celesta.runs import connection, tailing, visible
from celesta.runs.tailing import News, Wanted

logger = logging.getLogger("celesta.streams")

#: Seconds between two looks: while something moves, and at most.
BUSY: Final = 0.25
QUIET: Final = 0.7
#: Seconds between two looks while the database is away.
AWAY: Final = 1.0
#: News that a slow reader may leave lying; then it reads from the database again.
MAX_WAITING: Final = 2_000

T = TypeVar("T")


class Reader:
    """One stream's end of the hub."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.came = asyncio.Event()
        #: (event, line): what came up to here is not handed over.
        self.begin: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self.is_behind = False
        #: Stored log lines are still to come: a young gap holds them back, or they are many.
        self.is_held = False
        self._waiting: deque[News] = deque()

    def hand(self, news: News) -> None:
        """Take news of the topic, unless too much lies here already."""
        if self.is_behind or not self.topic.has(news):
            return
        if len(self._waiting) >= MAX_WAITING:
            self.is_behind = True
            self._waiting.clear()
        else:
            self._waiting.append(news)
        self.came.set()

    def take(self) -> list[News]:
        """What has come since the last time."""
        self.came.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Hub:
    """The readers of one event loop, and their poller."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()
        self._joining: list[Reader] = []
        self._poller: asyncio.Task[None] | None = None
        self._stirred = asyncio.Event()
        # One thread, and so one connection, for the poller; two for those that catch up.
        self._looking = ThreadPoolExecutor(1, "celesta-stream")
        self._catching_up = ThreadPoolExecutor(2, "celesta-stream-past")

    def join(self, topic: Topic) -> Reader:
        """A reader of the topic; its ``begin`` is set with the next look."""
        reader = Reader(topic)
        self._joining.append(reader)
        self._stirred.set()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        return reader

    def leave(self, reader: Reader) -> None:
        """The reader wants no more."""
        self._readers.discard(reader)
        if reader in self._joining:
            self._joining.remove(reader)
        self._stirred.set()

    async def past(self, ask: Callable[..., T], *args: Any) -> T:
        """Ask the database about what is past, for one reader."""

        def asked() -> T:
            with connection.borrowed():
                return ask(*args)

        return await asyncio.get_running_loop().run_in_executor(self._catching_up, asked)

    async def _poll(self) -> None:
        """While there are readers."""
        horizon: tuple[int, int] | None = None
        pause = BUSY
        while self._readers or self._joining:
            try:
                if horizon is None:
                    horizon = await self._look(_present)
                elif self._is_first_of_a_run():
                    # Nobody has followed log lines: the horizon may lie a day's lines behind.
                    horizon = horizon[0], await self._look(visible.present, "celesta_log_line")
                self._admit(horizon)
                before = horizon
                after, held, news = await self._look(_news, horizon, self._wanted())
            except psycopg.OperationalError as error:
                logger.warning("streams wait for the database: %s", str(error).partition("\n")[0])
                await asyncio.sleep(AWAY)
                continue
            except Exception:
                # Whatever it is, readers that wait in silence would never learn of it.
                logger.exception("streams could not look for news")
                await asyncio.sleep(AWAY)
                continue
            for reader in self._readers:
                reader.is_held = held
                for one in news:
                    reader.hand(one)
            horizon = after
            if any(new - old >= visible.STEP for new, old in zip(horizon, before, strict=True)):
                continue  # far behind: go on at once
            pause = BUSY if horizon != before else min(pause * 1.2, QUIET)
            await self._rest(pause)
        self._looking.submit(connection.close)

    async def _look(self, ask: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._looking, ask, *args)

    def _is_first_of_a_run(self) -> bool:
        return not any(reader.topic.run for reader in self._readers) and any(
            reader.topic.run for reader in self._joining
        )

    def _admit(self, horizon: tuple[int, int]) -> None:
        for reader in self._joining:
            self._readers.add(reader)
            if not reader.begin.done():
                reader.begin.set_result(horizon)
        self._joining.clear()

    def _wanted(self) -> Wanted:
        runs, workspaces = set[UUID](), set[int]()
        for reader in self._readers:
            wanted = reader.topic.wanted
            runs.update(wanted.runs)
            workspaces.update(wanted.workspaces)
        return Wanted(runs, workspaces)

    async def _rest(self, seconds: float) -> None:
        self._stirred.clear()
        if self._joining:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._stirred.wait()
        except TimeoutError:
            return


def _present() -> tuple[int, int]:
    return visible.present("celesta_event"), visible.present("celesta_log_line")


def _news(horizon: tuple[int, int], wanted: Wanted) -> tuple[tuple[int, int], bool, list[News]]:
    """The new horizon, whether log lines are left behind it, and what came up to it."""
    event, line = horizon
    upto_event, _ = visible.advance("celesta_event", event)
    upto_line, held = visible.advance("celesta_log_line", line) if wanted.runs else (line, False)
    held = held or upto_line - line >= visible.STEP
    news: list[News] = []
    while event < upto_event:
        found, event = tailing.events(wanted, event, upto_event, visible.STEP)
        news += found
    if line < upto_line:
        found, line = tailing.lines(wanted, line, upto_line, visible.STEP)
        news += found
    return (event, line), held, news


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop."""
    loop = asyncio.get_running_loop()
    found = _hubs.get(loop)
    if found is None:
        found = _hubs[loop] = Hub()
    return found
