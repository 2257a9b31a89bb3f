"""Making a ``Failed`` of what a node raised: bounded, storable, and the same for the same fault."""

from __future__ import annotations

import hashlib
import traceback
from types import FrameType, TracebackType
from typing import Final

from celesta.runs.outcomes import Failed

MAX_TRACEBACK: Final = 16 * 1024
MAX_MESSAGE: Final = 2000
#: Frames kept, innermost first: a runaway recursion has a thousand.
MAX_FRAMES: Final = 40
#: Innermost frames that tell one fault from another.
FINGERPRINT_FRAMES: Final = 5
#: Frames of these packages are how Celesta got to the node's code, not part of the fault.
_OURS: Final = ("celesta_worker.", "celery.app.trace", "asyncio.", "contextvars")


def failed(
    error: BaseException, *, code: str = "node_failed", retryable: bool = True, message: str = ""
) -> Failed:
    """The outcome for an exception out of a node's code.

    ``details`` has the exception's ``type``, its ``traceback`` (at most 16 KB, the innermost end)
    and a ``fingerprint``: equal for the same class raised on the same path through the code, in
    whatever release and on whatever host.
    """
    kind = type_name(type(error))
    trace = _body(error.__traceback__)
    details = {
        "type": kind,
        "traceback": _text(error, trace),
        "fingerprint": fingerprint(kind, trace),
    }
    return Failed(
        clean(message or _sentence(error), MAX_MESSAGE),
        code=code,
        retryable=retryable,
        details=details,
    )


def type_name(kind: type) -> str:
    """``module.Class``, without the module for built-in exceptions."""
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def fingerprint(kind: str, trace: TracebackType | None) -> str:
    """Sixteen hex digits for an exception class and the functions it came through."""
    # Not its line numbers and not its message: both change while the fault stays the same.
    frames = [
        f"{frame.f_globals.get('__name__', frame.f_code.co_filename)}:{frame.f_code.co_qualname}"
        for frame in _frames(trace)
    ]
    text = "|".join([kind, *frames[-FINGERPRINT_FRAMES:]])
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def clean(text: str, limit: int) -> str:
    """``text`` as PostgreSQL can keep it: no NUL, no half a surrogate pair, at most ``limit``."""
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _sentence(error: BaseException) -> str:
    try:
        message = str(error)
    except BaseException as broken:  # noqa: BLE001 - __str__ is the author's code as well
        message = f"<its message cannot be shown: {type(broken).__name__}>"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _frames(trace: TracebackType | None) -> list[FrameType]:
    frames = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    return frames


def _body(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is not ours; all of it when every frame is."""
    start = trace
    while start is not None and str(start.tb_frame.f_globals.get("__name__")).startswith(_OURS):
        start = start.tb_next
    return start or trace


def _text(error: BaseException, trace: TracebackType | None) -> str:
    try:
        shown = traceback.TracebackException(
            type(error), error, trace, limit=-MAX_FRAMES, compact=True
        )
        text = "".join(shown.format())
    except BaseException as broken:  # noqa: BLE001 - it reads attributes of the author's exception
        text = f"<the traceback cannot be shown: {type(broken).__name__}>"
    return clean(text[-MAX_TRACEBACK:], MAX_TRACEBACK)
