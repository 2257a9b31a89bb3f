"""What the page of a node shows of its log, and from where a page follows its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from logging import ERROR, INFO, WARNING, getLevelName
from uuid import UUID

from celesta.runs import log_queries
from celesta.runs.models import Event, LogLine
from celesta.runs.visible import before_young_gap

#: Lines shown: the newest. All of them are a download.
SHOWN = 300


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the page shows it; the script of the page makes the same of a stream's line."""

    id: int
    at: datetime
    attempt: int
    level: str
    #: How loud it is: error, warning, info or debug.
    tone: str
    logger: str
    text: str


@dataclass(frozen=True, slots=True)
class Log:
    """The newest lines of a node run."""

    lines: Sequence[Line]
    #: True when there are older ones.
    is_cut: bool


def log_of(run_id: UUID, scope: int, node: int) -> Log:
    """The newest lines of a node run, oldest first."""
    newest = list(log_queries.of_node(run_id, scope, node).order_by("-number")[: SHOWN + 1])
    newest.reverse()
    return Log([_line(line) for line in newest[-SHOWN:]], len(newest) > SHOWN)


def _line(line: LogLine) -> Line:
    tone = "debug"
    for level, name in ((ERROR, "error"), (WARNING, "warning"), (INFO, "info")):
        if line.level >= level:
            tone = name
            break
    level_name = getLevelName(line.level)
    return Line(line.number, line.at, line.attempt, level_name, tone, line.logger, line.text)


def stream_cursor(run_id: UUID) -> str:
    """From where a page that was just made follows its run; see the API's streams.

    A little before the newest event, if one with a lower id may yet be committed: what the page
    shows already it recognises by its id.
    """
    newest = (
        Event.objects.filter(run_id=run_id).order_by("-id").values_list("id", flat=True).first()
    )
    return str(before_young_gap("celesta_event", newest)) if newest else "0"


def log_cursor(run_id: UUID) -> int:
    """The same for the lines of its log."""
    newest = log_queries.of_run(run_id).order_by("-number").values_list("number", flat=True).first()
    return before_young_gap("celesta_log_line", newest) if newest else 0


def as_text(run_id: UUID, scope: int, node: int) -> str:
    """All lines of a node run, as a file."""
    lines = log_queries.of_node(run_id, scope, node).iterator()
    return "".join(
        f"{line.at.isoformat()} attempt {line.attempt} "
        f"{getLevelName(line.level)} {line.logger}: {line.text}\n"
        for line in lines
    )
