"""What a node's body logs and prints, made into bounded lines of its attempt.

A node that says nothing costs one context variable. Which node speaks is known from that variable:
it follows ``await``, ``asyncio.to_thread`` and ``sync_to_async``, but not into threads that a body
starts by hand, which belong to nobody.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import UTC, datetime
from logging import INFO, WARNING
from threading import RLock
from typing import TYPE_CHECKING, Final

from celesta.runs.log_lines import NewLine
from celesta_worker.log_writer import writer

if TYPE_CHECKING:
    from celesta_worker.context import NodeContext

#: What an attempt may keep; beyond it lines are counted and not kept.
MAX_LINES: Final = 1000
MAX_BYTES: Final = 256 * 1024
#: Bytes of one line.
MAX_LINE: Final = 8 * 1024
#: The logger of our own remarks.
OURS: Final = "celesta"

#: The node whose body runs here.
speaking: ContextVar[NodeContext | None] = ContextVar("celesta_speaking", default=None)


class AttemptLines:
    """The lines of one attempt. Its body may speak from several threads at once."""

    __slots__ = ("_bytes", "_dropped", "_lines", "_lock", "_place", "_printed", "_seq")

    def __init__(self, context: NodeContext) -> None:
        run, scope, node = context.idempotency_key.rsplit(":", 2)
        self._place = (run, int(scope), int(node), context.attempt)
        self._seq = time.time_ns() // 1000
        self._lines = self._bytes = self._dropped = 0
        self._printed: dict[str, str] = {}
        # Reentrant: a destructor that prints may run in the midst of us.
        self._lock = RLock()

    def add(self, at: float, level: int, logger: str, text: str) -> None:
        """Keep one line, as far as there is room; ``at`` is a moment in seconds since 1970."""
        text = _clean(text)
        with self._lock:
            self._lines += 1
            self._bytes += len(text.encode())
            if self._lines > MAX_LINES or self._bytes > MAX_BYTES:
                if not self._dropped:
                    self._remark(f"The bound of {MAX_LINES:,} lines or {MAX_BYTES // 1024} KB an "
                                 "attempt is reached: what follows is not kept.")  # fmt: skip
                self._dropped += 1
            elif not self._put(at, level, logger, text):
                self._dropped += 1

    def write(self, stream: str, text: str) -> None:
        """What was printed to a stream; lines are kept when they are whole."""
        with self._lock:
            *whole, rest = (self._printed.get(stream, "") + text).split("\n")
            # Of an endless line only what will be kept, and the fact that it is longer.
            self._printed[stream] = rest[: MAX_LINE + 1]
            for line in whole:
                # A progress bar draws over itself: its last state stands.
                self.add(time.time(), INFO, stream, line.rstrip("\r").rpartition("\r")[2])

    def end(self) -> None:
        """The body has ended: keep what it printed last, and tell how much was dropped."""
        with self._lock:
            for stream, rest in self._printed.items():
                if rest:
                    self.add(time.time(), INFO, stream, rest.rpartition("\r")[2])
            self._printed.clear()
            if self._dropped:
                self._remark(f"{self._dropped:,} lines were not kept.", self._dropped)
                self._dropped = 0

    def _remark(self, text: str, dropped: int = 0) -> None:
        self._put(time.time(), WARNING, OURS, text, dropped)

    def _put(self, at: float, level: int, logger: str, text: str, dropped: int = 0) -> bool:
        self._seq += 1
        moment = datetime.fromtimestamp(at, UTC)
        line = NewLine(*self._place, self._seq, moment, level, _clean(logger), text, dropped)
        return writer.put(line)


def lines_of(context: NodeContext) -> AttemptLines | None:
    """The lines of that attempt; None for a node that is run outside of a worker."""
    lines = context.lines
    if lines is None and context.idempotency_key:
        lines = context.lines = AttemptLines(context)
    return lines


def _clean(text: str) -> str:
    """What PostgreSQL can keep, within the bound of a line."""
    if len(text) > MAX_LINE:
        text = f"{text[:MAX_LINE]}…"
    text = text.replace("\x00", "\ufffd")
    kept = text.encode(errors="backslashreplace")  # lone surrogates
    if len(kept) > MAX_LINE:
        kept = kept[: MAX_LINE - 3]
        return kept.decode(errors="ignore") + "…"
    return kept.decode()
