"""Hears what the bodies of nodes log and print: a handler of logging, and sys.stdout and stderr.

Everything goes where it went before as well. Installed once a process; what is not said by a node's
body passes with one look at a context variable.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Final

from celesta import conf
from celesta_worker.log_lines import lines_of, speaking

STREAMS: Final = ("stdout", "stderr")
#: Tells how a task that runs in place has ended; the node's outcome says it already.
TRACER: Final = "celery.app.trace"
_format = logging.Formatter().format  # the message, and the traceback below it


class NodeLogHandler(logging.Handler):
    """Keeps the records that a node's body makes. It never raises and never blocks."""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, once: loggers below each other may both have this handler."""
        context = speaking.get()
        if context is None or getattr(record, "celesta_kept", False) or record.name == TRACER:
            return
        record.celesta_kept = True
        lines = lines_of(context)
        if lines is not None:
            prefix = f"[{context.run_id} {context.node}] "  # of context.logger: known here
            text = _text(record).removeprefix(prefix)
            lines.add(record.created, record.levelno, record.name, text)


def _text(record: logging.LogRecord) -> str:
    try:
        return _format(record)
    except Exception as error:  # noqa: BLE001 - arguments may raise anything when shown
        return f"{record.msg!r} (could not be formatted: {type(error).__name__})"


class Heard:
    """A stream that also keeps what a node's body writes to it."""

    def __init__(self, name: str, stream: Any) -> None:
        self._name, self._stream = name, stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> Any:
        """Write, and keep."""
        context = speaking.get()
        if context is None:
            return self._stream.write(text)
        # Celery may have put a logger behind the stream: that record is this same line.
        token = speaking.set(None)
        try:
            return self._stream.write(text)
        finally:
            speaking.reset(token)
            lines = lines_of(context)
            if lines is not None and isinstance(text, str):
                lines.write(self._name, text)

    def writelines(self, lines: Any) -> None:
        """Write each."""
        for line in lines:
            self.write(line)


_handler: NodeLogHandler | None = None


def install() -> None:
    """Begin to hear; safe to call again, after loggers or streams were replaced."""
    global _handler
    if conf.get("NODE_LOG_LEVEL") == conf.OFF:
        return
    if _handler is None:
        _handler = NodeLogHandler(conf.get("NODE_LOG_LEVEL"))
    for logger in _ends():
        if _handler not in logger.handlers:
            logger.addHandler(_handler)
    for name in STREAMS:
        stream = getattr(sys, name)
        if stream is not None and not isinstance(stream, Heard):
            setattr(sys, name, Heard(name, stream))


def remove() -> None:
    """Hear no more: the worker has ended, its process goes on (in tests)."""
    for logger in _ends() if _handler else ():
        logger.removeHandler(_handler)  # type: ignore[arg-type]
    for name in STREAMS:
        stream = getattr(sys, name)
        if isinstance(stream, Heard):
            setattr(sys, name, stream._stream)  # noqa: SLF001 - ours


def _ends() -> list[logging.Logger]:
    """The loggers at which records end: the root, and those that do not hand on."""
    known = list(logging.root.manager.loggerDict.values())
    return [
        logging.root,
        *(one for one in known if isinstance(one, logging.Logger) and not one.propagate),
    ]
