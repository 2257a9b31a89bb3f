"""Where a reader stands: ``<event>.<line>``, ids of the database's own, so any process can go on.

``<event>`` alone stands for the log lines that are stored from now on. The cursor of a stream's
last message ends with ``.end``: who comes back with it is told that nothing follows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from celesta.runs.tailing import News
from celesta.runs.visible import LAST_ID

_FORM = re.compile(r"(\d{1,19})(?:\.(\d{1,19})(\.end)?)?", re.ASCII)


class CursorInvalid(ValueError):
    """The cursor is not one of a stream: send back the id of the last message, as it is."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event and the last log line that were seen; None for "from now on"."""

    event: int | None = 0
    line: int | None = 0
    is_end: bool = False

    @classmethod
    def read(cls, text: str) -> Cursor:
        """The cursor in a Last-Event-ID; raises CursorInvalid."""
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise CursorInvalid((CursorInvalid.__doc__ or "").strip())
        event, line, end = found.groups()
        return cls(
            min(int(event), LAST_ID), None if line is None else min(int(line), LAST_ID), bool(end)
        )

    def past(self, news: News) -> Cursor:
        """The cursor of who has seen that, too."""
        return replace(self, line=news.id) if news.is_line else replace(self, event=news.id)

    def has(self, news: News) -> bool:
        """True when that was seen."""
        return news.id <= ((self.line if news.is_line else self.event) or 0)

    def __str__(self) -> str:
        return f"{self.event or 0}.{self.line or 0}{'.end' * self.is_end}"
