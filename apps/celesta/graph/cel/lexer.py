"""Cuts the text of an expression into tokens."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from celesta.graph.cel.syntax import CelSyntaxError, Span

TokenKind = Literal["value", "name", "mark", "end"]


class Token(NamedTuple):
    """A piece of the text; ``value`` is the constant of a literal."""

    kind: TokenKind
    text: str
    start: int
    end: int
    value: Any = None

    @property
    def span(self) -> Span:
        """Where it stands."""
        return Span(self.start, self.end)


_STRING = (
    r"[rR]?(?:'''(?:[^\\]|\\.)*?'''"
    r'|"""(?:[^\\]|\\.)*?"""'
    r"|'(?:[^'\\\n]|\\.)*'"
    r'|"(?:[^"\\\n]|\\.)*")'
)
_TOKEN = re.compile(
    rf"""
    \s*
    (?: (?P<string>{_STRING})
    | (?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
    | (?P<int>0[xX][0-9a-fA-F]+|\d+)
    | (?P<name>[a-zA-Z_][a-zA-Z0-9_]*)
    | (?P<mark>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{{}}])
    | (?P<end>\Z)
    )
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_CONSTANTS = {"true": True, "false": False, "null": None}
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"`?])|([0-3][0-7]{2})|[xX]([0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))",
    re.DOTALL,
)
#: White space as the pattern above knows it.
_SPACE = " \t\n\r\f\v"
_SIMPLE = dict(zip("abfnrtv", "\a\b\f\n\r\t\v", strict=True))
#: Largest magnitude of an integer literal: ``-9223372036854775808`` is read as minus this.
_INT_LIMIT = 2**63


def tokens(text: str) -> list[Token]:
    """All tokens of an expression, with an ``end`` token last; raises CelSyntaxError."""
    found: list[Token] = []
    at = 0
    for match in _TOKEN.finditer(text):
        if match.start() != at:  # it was looked for further on
            break
        kind = match.lastgroup or "end"
        start, at = match.span(kind)
        found.append(_token(kind, match[kind], start, at))
        if kind == "end":
            return found
    at = len(text) - len(text[at:].lstrip(_SPACE))
    raise CelSyntaxError(_unreadable(text[at]), at)


def _unreadable(character: str) -> str:
    if character in "'\"":
        return "this text has no closing quote"
    return f"the character {character!r} has no meaning here"


def _token(kind: str, text: str, start: int, end: int) -> Token:
    if kind == "mark":
        return Token("mark", text, start, end)
    if kind == "name" and text not in _CONSTANTS:
        return Token("name", text, start, end)
    if kind == "end":
        return Token("end", "", start, end)
    return Token("value", text, start, end, _constant(kind, text, start))


def _constant(kind: str, text: str, start: int) -> Any:
    if kind == "name":
        return _CONSTANTS[text]
    if kind == "string":
        return _string(text, start)
    if kind == "float":
        return float(text)
    number = int(text, 16 if text[:2] in {"0x", "0X"} else 10)
    if number > _INT_LIMIT:
        raise CelSyntaxError("a whole number has at most 64 bits", start)
    return number


def _string(text: str, start: int) -> str:
    raw = text[0] in "rR"
    body = text[1:] if raw else text
    quotes = 3 if body[:3] in {"'''", '"""'} else 1
    body = body[quotes:-quotes]
    if raw or "\\" not in body:
        return body
    return _ESCAPE.sub(lambda match: _unescape(match, start), body)


def _unescape(match: re.Match[str], start: int) -> str:
    simple, octal, *codes, wrong = match.groups()
    if simple:
        return _SIMPLE.get(simple, simple)
    if wrong is not None:
        raise CelSyntaxError(f"\\{wrong} is no escape sequence", start)
    code = int(octal, 8) if octal else int(next(filter(None, codes)), 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        raise CelSyntaxError(f"{match.group()} is no character", start)
    return chr(code)
