"""One thread a process that stores what nodes have said, a few lines at a time.

No node waits for it: lines are put into a queue, and the thread (begun with the first line) stores
them twice a second, with its own connection. While the database is away they are kept up to a
bound. A process that is killed loses at most the last half second.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from typing import Final

import psycopg

from celesta.runs import connection, log_lines
from celesta.runs.log_lines import NewLine

logger = logging.getLogger("celesta.log_writer")

#: Seconds between two stores while lines keep coming, and the least a line waits for others.
EVERY: Final = 0.5
GATHER: Final = 0.05
#: Lines that are stored at once, without waiting for more.
BATCH: Final = 500
#: Lines that wait for the database.
MAX_WAITING: Final = 10_000
#: Seconds without a line after which the connection is given up.
IDLE: Final = 30.0
#: Seconds between two tries while the database is away.
AWAY: Final = 1.0


class LogWriter:
    """A queue of lines and the thread that stores them."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._waiting: deque[NewLine] = deque()
        self._came = threading.Event()
        self._many = threading.Event()
        self._storing = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stored_at = 0.0

    def put(self, line: NewLine) -> bool:
        """Have a line stored soon; False when too many wait. Never blocks."""
        if len(self._waiting) >= MAX_WAITING and not line.dropped:
            return False
        self._waiting.append(line)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="celesta-log-lines", daemon=True)
            self._thread.start()
        self._came.set()
        if len(self._waiting) >= BATCH:
            self._many.set()
        return True

    def flush(self, patience: float = 2.0) -> None:
        """Store what waits before the process ends; gives up after ``patience`` seconds."""
        ends = time.monotonic() + patience
        while self._waiting and not self._store():
            if time.monotonic() > ends:
                return
            time.sleep(0.1)

    def _run(self) -> None:
        while True:
            if not self._came.wait(IDLE):
                connection.close()
                self._came.wait()
            self._came.clear()
            self._many.wait(max(GATHER, self._stored_at + EVERY - time.monotonic()))
            self._many.clear()
            while not self._store():
                time.sleep(AWAY)
            self._stored_at = time.monotonic()

    def _store(self) -> bool:
        """Store all that waits; False while the database is away."""
        with self._storing:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                try:
                    log_lines.store(batch)
                except psycopg.OperationalError:
                    self._waiting.extendleft(reversed(batch))
                    return False
                except psycopg.Error as error:
                    # The table may be missing for a moment, in the middle of an upgrade.
                    reason = str(error).partition("\n")[0]
                    logger.warning("%d lines of nodes were not kept: %s", len(batch), reason)
        return True

    def forget(self) -> None:
        """In a forked child: the lines and the thread are the parent's."""
        self._begin()


writer = LogWriter()
os.register_at_fork(after_in_child=writer.forget)
