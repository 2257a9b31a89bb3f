r"""Texts with expressions in them: ``Order {{ params.id }} is ready``.

A text that is one whole ``{{ }}`` stands for the value itself, of whatever type; in a longer text
values are rendered. ``\{{`` is a literal ``{{`` (and ``\\{{`` a backslash before an expression).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from celesta.graph.cel.syntax import CelSyntaxError

_OPEN = re.compile(r"(\\*)\{\{")
#: Inside an expression: texts, whose braces do not count, and braces.
_INSIDE = re.compile(
    r"""'''.*?'''|\"\"\".*?\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[{}]""", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Hole:
    """An expression in a template; ``offset`` is where its source begins in the text."""

    source: str
    offset: int


@dataclass(frozen=True, slots=True)
class Template:
    """A text cut into literal pieces and expressions."""

    parts: tuple[str | Hole, ...]

    @property
    def whole(self) -> Hole | None:
        """The expression, when there is nothing but one (and white space around it)."""
        holes = self.holes
        if len(holes) != 1 or any(isinstance(p, str) and p.strip() for p in self.parts):
            return None
        return holes[0]

    @property
    def holes(self) -> list[Hole]:
        """All expressions, from left to right."""
        return [part for part in self.parts if isinstance(part, Hole)]


@lru_cache(maxsize=4096)
def parse(text: str) -> Template:
    """Cut a text into pieces; raises CelSyntaxError when an expression is never closed."""
    parts: list[str | Hole] = []
    at = 0
    while match := _OPEN.search(text, at):
        backslashes = len(match[1])
        parts.append(text[at : match.start()] + "\\" * (backslashes // 2))
        if backslashes % 2:
            parts.append("{{")
            at = match.end()
        else:
            end = _close(text, match.end())
            parts.append(_hole(text, match.end(), end))
            at = end + 2
    parts.append(text[at:])
    return Template(tuple(part for part in parts if part != ""))


def _hole(text: str, start: int, end: int) -> Hole:
    source = text[start:end]
    trimmed = source.lstrip()
    return Hole(trimmed.rstrip(), start + len(source) - len(trimmed))


def _close(text: str, start: int) -> int:
    """Where the ``}}`` of the expression that starts here begins."""
    depth = 0
    for match in _INSIDE.finditer(text, start):
        if match.group() == "{":
            depth += 1
        elif match.group() == "}":
            if depth == 0 and text.startswith("}}", match.start()):
                return match.start()
            depth -= 1
            if depth < 0:
                break
    raise CelSyntaxError("this '{{' has no '}}'; write '\\{{' for a literal '{{'", start - 2)


def bare(text: str) -> str:
    """The source of a condition, written bare or as one whole ``{{ }}``."""
    if "{{" not in text:
        return text.strip()
    hole = parse(text).whole
    if hole is None:
        raise CelSyntaxError("a condition is one expression, with no text around it", 0)
    return hole.source


def inner(text: str) -> str:
    """What :func:`bare` gives, or the text itself when that cannot be told."""
    try:
        return bare(text)
    except CelSyntaxError:
        return text


def has_template(value: object) -> bool:
    """True for a text that may hold an expression or an escape."""
    return isinstance(value, str) and "{{" in value
