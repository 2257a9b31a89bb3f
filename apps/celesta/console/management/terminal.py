"""How commands speak: aligned tables, colours on a terminal only, or JSON for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from django.core.management.base import OutputWrapper
from django.core.management.color import Style
from django.utils import timezone

from celesta.client.cli.printing import plain
from celesta.graph.problems import Problem

#: Which of Django's colours a state has.
COLOURS: Final = {
    "succeeded": "SUCCESS",
    "failed": "ERROR",
    "upstream_failed": "ERROR",
    "error": "ERROR",
    "cancelled": "WARNING",
    "cancelling": "WARNING",
    "warning": "WARNING",
    "running": "HTTP_INFO",
    "waiting": "HTTP_INFO",
}


class Terminal:
    """Writes to a command's output."""

    def __init__(self, out: OutputWrapper, style: Style, *, as_json: bool) -> None:
        self._out = out
        self._style = style
        self.as_json = as_json

    def line(self, text: str = "") -> None:
        """One line of text; nothing in JSON, where only values may stand.

        What may come from anybody goes through :func:`plain` before.
        """
        if not self.as_json:
            self._out.write(text)

    def value(self, value: Any) -> None:
        """One JSON document on one line."""
        self._out.write(orjson.dumps(value, default=str).decode())

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows under headings; states get their colour."""
        cells = [[_text(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
        self.line(_padded(headings, widths))
        for row in cells:
            padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
            painted = [self.paint(cell, word) for cell, word in zip(padded, row, strict=True)]
            self.line("  ".join(painted).rstrip())

    def facts(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Names with their values, one a line."""
        pairs = list(pairs)
        width = max(len(name) for name, _ in pairs) + 1
        for name, value in pairs:
            text = _text(value)
            self.line(f"{f'{name}:'.ljust(width)} {self.paint(text, text)}")

    def problem(self, problem: Problem, file: str) -> None:
        """One problem, in the form in which editors find the line: ``file:line:column: ...``."""
        where = ":".join(str(part) for part in (file, problem.line, problem.column) if part)
        severity = self.paint(problem.severity, problem.severity)
        told = f"{problem.path}: {problem.message} [{problem.code}]"
        self.line(f"{plain(where)}: {severity}: {plain(told)}")
        if problem.hint:
            self.line(f"    {plain(problem.hint)}")

    def paint(self, text: str, meaning: str) -> str:
        """The text in the colour of a state or severity, if it has one."""
        colour = COLOURS.get(meaning)
        paint: Callable[[str], str] = getattr(self._style, colour) if colour else str
        return paint(text)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _text(value: object) -> str:
    return plain(_worded(value))


def _worded(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=str).decode()
    return str(value)
