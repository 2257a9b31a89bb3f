"""How the command line speaks: aligned tables with colours on a terminal, or JSON for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, TextIO

#: Colours by what a state means; the words are the same without them.
COLOURS: Final = {
    "succeeded": "32", "failed": "31", "upstream_failed": "31", "error": "31", "cancelled": "33",
    "cancelling": "33", "warning": "33", "running": "36", "waiting": "36",
}  # fmt: skip

#: Control characters but tab and line break, and those that turn the direction of writing.
_STEERING: Final = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (
        *range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0),
        *range(0x202A, 0x202F), *range(0x2066, 0x206A),
    )
}  # fmt: skip


class Printer:
    """Writes results to one stream."""

    def __init__(self, *, as_json: bool, out: TextIO | None = None) -> None:
        self.as_json = as_json
        self._out = out or sys.stdout
        self._colours = self._out.isatty() and not os.environ.get("NO_COLOR")

    def line(self, text: str = "") -> None:
        """One line for people; nothing in JSON."""
        if not self.as_json:
            self._write(plain(text))

    def value(self, value: Any) -> None:
        """One JSON document on one line."""
        self._write(json.dumps(value, ensure_ascii=False))

    def rows(self, rows: Iterable[dict[str, Any]], names: Sequence[str]) -> None:
        """Some columns of rows as a table; in JSON each whole row on a line."""
        if self.as_json:
            for row in rows:
                self.value(row)
            return
        cells = [[_text(row.get(name)) for name in names] for row in rows]
        headings = [name.upper().replace("_", " ") for name in names]
        widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
        self._write("  ".join(map(str.ljust, headings, widths)).rstrip())
        for texts in cells:
            padded = map(str.ljust, texts, widths)
            self._write("  ".join(map(self._paint, padded, texts)).rstrip())

    def facts(self, value: dict[str, Any], names: Sequence[str] = ()) -> None:
        """Names with their values, one a line; in JSON the whole value."""
        if self.as_json:
            self.value(value)
            return
        names = names or list(value)
        width = max(map(len, names)) + 1
        for name in names:
            text = _text(value.get(name))
            self._write(f"{f'{name}:'.ljust(width)} {self._paint(text, text)}")

    def problem(self, problem: dict[str, Any], file: str = "") -> None:
        """One problem as ``file:line:column: error: path: message [code]``, as editors read it."""
        places = (file, problem.get("line"), problem.get("column"))
        where = ":".join(str(part) for part in places if part)
        severity = self._paint(*[plain(str(problem.get("severity") or "error"))] * 2)
        said = [plain(str(problem.get(name) or "")) for name in ("path", "message", "code", "hint")]
        told = [plain(where), severity, *said[:2]]
        self._write(": ".join(part for part in told if part) + f" [{said[2]}]")
        if said[3]:
            self._write(f"    {said[3]}")

    def published(self, made: dict[str, Any], file: str = "") -> None:
        """What a publication led to, with its warnings."""
        if self.as_json:
            self.value(made)
            return
        for problem in made["warnings"]:
            self.problem(problem, file)
        told = "published as" if made["created"] else "is already"
        self._write(f"{made['workflow']['name']} {told} version {made['version']['number']}")

    def text(self, text: str) -> None:
        """A text as it is."""
        self._out.write(text)
        self._out.flush()

    def _write(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()

    def _paint(self, text: str, meaning: str) -> str:
        colour = COLOURS.get(meaning) if self._colours else None
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def plain(text: str) -> str:
    """The text without what steers a terminal: log lines and names are of anybody's making."""
    return text.translate(_STEERING)


def _text(value: Any) -> str:
    return plain(_worded(value))


def _worded(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
