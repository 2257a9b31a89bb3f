"""JSON texts: read strictly, and searched for the places of their parts."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any, NoReturn

from celesta.graph.positions import Members, Place
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.graph.values import MAX_DEPTH


class _Refused(ValueError):
    """A value that JSON's grammar admits or Python's reader adds, and a document may not have."""

    def __init__(self, code: str, message: str, what: str) -> None:
        super().__init__(message)
        self.code = code
        self.what = what


def read(text: str) -> Any:
    """The value of a JSON text; raises DocumentInvalid (json_syntax, duplicate_key, not_json)."""
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _invalid("json_syntax", f"{error.msg}.", error.lineno, error.colno) from None
    except _Refused as error:
        first = text.find(error.what)
        found = max(first, text.find(error.what, first + 1))
        line = text.count("\n", 0, found) + 1
        raise _invalid(error.code, str(error), line, found - text.rfind("\n", 0, found)) from None
    except RecursionError:
        message = f"Nested deeper than {MAX_DEPTH} levels."
        raise _invalid("document_too_deep", message, 1, 1) from None
    except ValueError as error:  # a number with thousands of digits
        raise _invalid("not_json", f"{error}.", 1, 1) from None


def _invalid(code: str, message: str, line: int, column: int) -> DocumentInvalid:
    return DocumentInvalid([Problem(code, "", message, line=line, column=column)])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused("duplicate_key", f"The key {key!r} is there twice.", json.dumps(key))
            seen.add(key)
    return made


def _no_constant(name: str) -> NoReturn:
    raise _Refused("not_json", f"{name} is not a JSON number.", name)


_SPACE = re.compile(r"\s*")
_value_at = json.JSONDecoder().raw_decode


def places(text: str) -> Place:
    """Where each value of a (valid) JSON text stands."""
    start = _after_space(text, 0)
    return _place(text, start, len(text.rstrip()), None)


def _place(text: str, start: int, end: int, key: int | None) -> Place:
    is_container = text[start] in "[{"
    return Place(start, end, key, partial(_members, text) if is_container else None)


def _members(text: str, container: Place) -> Members:
    """The values right inside a container. Python's own reader, in C, steps over each of them."""
    is_mapping = text[container.start] == "{"
    found: Members = {}
    at = _after_space(text, container.start + 1)
    while text[at] not in "]}":
        step: str | int = len(found)
        key = None
        if is_mapping:
            key = at
            step, at = _value_at(text, at)
            at = _after_space(text, at) + 1  # the colon
        start = _after_space(text, at)
        try:
            _, end = _value_at(text, start)
        except RecursionError:  # so deep that it was only just readable: its parent is near enough
            break
        found[step] = _place(text, start, end, key)
        at = _after_space(text, end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return found


def _after_space(text: str, at: int) -> int:
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # no space is a match, too
