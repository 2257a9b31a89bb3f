"""YAML texts: read within limits, by the core schema of YAML 1.2.

``true`` and ``false`` are the only booleans (``no``, ``on`` and ``yes`` are texts), dates are
texts, keys are texts. Anchors and aliases are allowed within a limit of what they unfold to; merge
keys (``<<``), tags of one's own and several documents in a text are not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)

from celesta.graph.positions import Place
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.graph.values import MAX_DEPTH

#: What all aliases of a document may unfold to together: values, and 64 characters count as one.
MAX_UNFOLDED = 1_000_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = frozenset({"null", "Null", "NULL", "~", ""})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TAG = "tag:yaml.org,2002:"
#: Longest number: Python refuses to read longer ones at once, and nobody writes them.
_MAX_DIGITS = 400


def read(text: str) -> Any:
    """The value of a YAML text; raises DocumentInvalid.

    Codes: yaml_syntax, yaml_alias_bomb, yaml_tag, duplicate_key, not_json, document_too_deep.
    """
    try:
        return _Reader(_events(text)).document()
    except yaml.reader.ReaderError as error:
        message = f"The character #x{error.character:04x} is not allowed in YAML."
        line, column = _line_and_column(text, error.position)
        raise _error("yaml_syntax", message, line, column) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        sentence = f"{error.problem or error.context}.".capitalize()
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise _error("yaml_syntax", sentence, *place) from None


def _events(text: str) -> Iterator[Event]:
    """All events of a text, straight from the parser: there may be millions."""
    return iter(_LOADER(text).get_event, None)


def _line_and_column(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _error(
    code: str, message: str, line: int | None, column: int | None, hint: str = ""
) -> DocumentInvalid:
    return DocumentInvalid([Problem(code, "", message, hint, line=line, column=column)])


def _refused(code: str, message: str, event: Event, hint: str = "") -> DocumentInvalid:
    mark: Any = event.start_mark
    return _error(code, message, mark.line + 1, mark.column + 1, hint)


class _Reader:
    """Makes values out of events; counts what aliases unfold to."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        #: Value and number of values in it, by anchor.
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._size = 0
        self._unfolded = 0

    def document(self) -> Any:
        """The value of the only document."""
        value: Any = None
        seen = False
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                if seen:
                    raise _refused("yaml_syntax", "The text holds several documents.", event)
                seen = True
                value = self._value(next(self._events), 0)
        return value

    def _value(self, event: Event, depth: int) -> Any:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        before = self._size
        self._size += 1
        if isinstance(event, ScalarEvent):
            value: Any = _scalar(event)
            self._size += len(event.value) // 64
        else:
            value = self._collection(event, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = (value, self._size - before)
        return value

    def _alias(self, event: AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            message = f"The alias *{event.anchor} names no anchor that is complete here."
            raise _refused("yaml_syntax", message, event)
        value, size = self._anchors[event.anchor]
        self._size += size
        self._unfolded += size
        if self._unfolded > MAX_UNFOLDED:
            message = f"Its aliases unfold to more than {MAX_UNFOLDED:,} values."
            raise _refused("yaml_alias_bomb", message, event, "Use fewer aliases.")
        return value

    def _collection(self, event: Event, depth: int) -> Any:
        if depth >= MAX_DEPTH:
            message = f"Nested deeper than {MAX_DEPTH} levels."
            raise _refused("document_too_deep", message, event)
        kind = "map" if isinstance(event, MappingStartEvent) else "seq"
        _check_tag(event, {kind})
        return self._mapping(depth) if kind == "map" else self._sequence(depth)

    def _sequence(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), CollectionEndEvent):
            items.append(self._value(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        while not isinstance(event := next(self._events), CollectionEndEvent):
            key = self._key(event)
            if key in made:
                raise _refused("duplicate_key", f"The key {key!r} is there twice.", event)
            made[key] = self._value(next(self._events), depth + 1)
        return made

    def _key(self, event: Event) -> str:
        if not isinstance(event, ScalarEvent):
            raise _refused("yaml_syntax", "A key is a text.", event, "Write the key as a text.")
        if event.value == "<<" and not event.style:
            hint = "Write the fields out, or use `defaults`."
            raise _refused("yaml_syntax", "Merge keys (<<) are no part of YAML 1.2.", event, hint)
        return str(event.value)


def _check_tag(event: Event, allowed: set[str]) -> str | None:
    """The core tag written at a value, or None."""
    tag: str | None = getattr(event, "tag", None)
    if tag is None or tag == "!":
        return None
    name = tag.removeprefix(_TAG)
    if name not in allowed or name == tag:
        hint = "Remove the tag: documents are plain data."
        raise _refused("yaml_tag", f"The tag {tag!r} is not allowed here.", event, hint)
    return name


def _scalar(event: ScalarEvent) -> Any:
    tag = _check_tag(event, {"str", "int", "float", "bool", "null"})
    text = event.value
    if tag == "str" or event.style or event.tag == "!":  # a plain scalar has no style
        return text
    value = _plain(text, event)
    if tag == "float" and isinstance(value, int):
        return float(value)
    if tag is not None and tag != {bool: "bool", int: "int", float: "float"}.get(
        type(value), "null" if value is None else "str"
    ):
        raise _refused("yaml_tag", f"{text!r} is no {tag}.", event)
    return value


def is_text(plain: str) -> bool:
    """True when a plain scalar of this spelling is read as a text."""
    known = (_NOT_FINITE, _INT, _FLOAT)
    return plain not in _NULL | _BOOLS.keys() and not any(p.fullmatch(plain) for p in known)


def _plain(text: str, event: ScalarEvent) -> Any:
    """A plain scalar by the core schema (https://yaml.org/spec/1.2.2/, section 10.3.2)."""
    if text in _NULL:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _NOT_FINITE.fullmatch(text):
        raise _refused("not_json", f"{text} is not a JSON number.", event)
    if len(text) > _MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        bases = {"0o": 8, "0x": 16}
        return int(text[2:], bases[text[:2]]) if text[:2] in bases else int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if not math.isfinite(number):
            raise _refused("not_json", f"{text} is too large for a number.", event)
        return number
    return text


def places(text: str) -> Place:
    """Where each value of a (valid) YAML text stands; aliases stand where they are written."""
    events = _events(text)
    root = Place(0, len(text))
    for event in events:
        if isinstance(event, DocumentStartEvent):
            root = _place(next(events), events)
    return root


def _place(event: Any, events: Iterator[Any], key: int | None = None) -> Place:
    place = Place(event.start_mark.index, event.end_mark.index, key)
    if not isinstance(event, CollectionStartEvent):
        return place
    is_mapping = isinstance(event, MappingStartEvent)
    children = place.children
    while not isinstance(event := next(events), CollectionEndEvent):
        if is_mapping:
            name = getattr(event, "value", "")
            children[name] = _place(next(events), events, event.start_mark.index)
        else:
            children[len(children)] = _place(event, events)
    end: Any = event.end_mark
    place.end = end.index
    return place
