"""What a view grants, and how it reaches a WebSocket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from celesta.api.streams.cursor import Cursor
from celesta.api.streams.topics import Topic

#: Where a WebSocket's request for its REST counterpart carries the offer. Callers cannot set it.
OFFER: Final = "celesta.offer"


@dataclass(frozen=True, slots=True)
class Granted:
    """What a caller may follow, from where on."""

    caller: str
    topic: Topic
    cursor: Cursor
    #: Seconds after which the stream ends; None for as long as it likes.
    timeout: float | None = None


@dataclass(slots=True)
class Offer:
    """Filled in by the view."""

    granted: Granted | None = None
    #: True when the stream is open already and only asks again.
    is_open: bool = False
