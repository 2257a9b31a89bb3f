"""Readers of single fields: each checks one value of the document and reports its faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from celesta.graph import durations
from celesta.graph.findings import Findings, did_you_mean
from celesta.graph.paths import Path


class Invalid:
    """What a reader returns after it has reported a problem."""


INVALID: Final = Invalid()

Reader = Callable[[Any, Path, Findings], Any]

_WORDS: dict[type, str] = {
    dict: "a mapping",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    type(None): "nothing",
}


def kind(value: Any) -> str:
    """The name of a value's type in the author's words."""
    return _WORDS.get(type(value), f"a {type(value).__name__}")


def wrong_type(
    value: Any, path: Path, findings: Findings, expected: str, hint: str = ""
) -> Invalid:
    """Report a value of the wrong type."""
    findings.error("wrong_type", path, f"Expected {expected}, got {kind(value)}.", hint)
    return INVALID


def text(limit: int) -> Reader:
    """A text of at most ``limit`` characters."""

    def read(value: Any, path: Path, findings: Findings) -> Any:
        if not isinstance(value, str):
            return wrong_type(value, path, findings, "a text", "Put the value in quotes.")
        if len(value) > limit:
            findings.error("too_long", path, f"{len(value)} characters; the limit is {limit}.")
            return INVALID
        return value

    return read


def name(pattern: str, limit: int, rule: str) -> Reader:
    """A name that matches ``pattern`` whole; ``rule`` says it in words."""
    matcher = re.compile(pattern, re.ASCII)
    read_text = text(limit)

    def read(value: Any, path: Path, findings: Findings) -> Any:
        checked = read_text(value, path, findings)
        if checked is INVALID or matcher.fullmatch(checked):
            return checked
        findings.error("invalid_name", path, f"{value!r} is not a valid name here.", rule)
        return INVALID

    return read


def duration(*, zero: bool = False) -> Reader:
    """A duration, read as seconds (float)."""

    def read(value: Any, path: Path, findings: Findings) -> Any:
        try:
            seconds = durations.parse(value)
        except ValueError as problem:
            findings.error("invalid_duration", path, f"{problem}.", durations.HINT)
            return INVALID
        if seconds == 0 and not zero:
            findings.error("invalid_duration", path, "It must be longer than zero.", durations.HINT)
            return INVALID
        return seconds

    return read


def integer(low: int, high: int) -> Reader:
    """A whole number between two bounds, both included."""

    def read(value: Any, path: Path, findings: Findings) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            return wrong_type(value, path, findings, "a whole number")
        return _within(value, low, high, path, findings)

    return read


def number(low: float, high: float) -> Reader:
    """A number between two bounds, both included; read as float."""

    def read(value: Any, path: Path, findings: Findings) -> Any:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return wrong_type(value, path, findings, "a number")
        return _within(value, low, high, path, findings)

    return read


def _within(value: float, low: float, high: float, path: Path, findings: Findings) -> Any:
    if low <= value <= high:
        return value
    findings.error("out_of_range", path, f"{value} is not between {low} and {high}.")
    return INVALID


def boolean(value: Any, path: Path, findings: Findings) -> Any:
    """Reader of true or false."""
    return value if isinstance(value, bool) else wrong_type(value, path, findings, "true or false")


def mapping(value: Any, path: Path, findings: Findings) -> Any:
    """Reader of a mapping whose inside is checked elsewhere."""
    return value if isinstance(value, dict) else wrong_type(value, path, findings, "a mapping")


def anything(value: Any, path: Path, findings: Findings) -> Any:
    """Reader that takes every JSON value."""
    return value


def list_of(read_item: Reader, limit: int, hint: str = "") -> Reader:
    """A list of at most ``limit`` items, each read by ``read_item``; faulty ones are left out."""

    def read(value: Any, path: Path, findings: Findings) -> Any:
        if not isinstance(value, list):
            return wrong_type(value, path, findings, "a list", hint)
        if len(value) > limit:
            findings.error("too_long", path, f"{len(value)} items; the limit is {limit}.")
            return INVALID
        items = [read_item(item, (*path, i), findings) for i, item in enumerate(value)]
        return [item for item in items if item is not INVALID]

    return read


def section(readers: Mapping[str, Reader], *, required: tuple[str, ...] = ()) -> Reader:
    """A mapping with known fields; the result holds what was given and valid.

    A field that is null counts as not given, so that forms and generators may leave it empty.
    """

    def read(value: Any, path: Path, findings: Findings) -> Any:
        if not isinstance(value, dict):
            return wrong_type(value, path, findings, "a mapping")
        found: dict[str, Any] = {}
        for key, item in value.items():
            if item is None and key in readers:
                continue
            result = _read_field(key, item, readers, path, findings)
            if result is not INVALID:
                found[key] = result
        for key in required:
            if value.get(key) is None:
                findings.error("missing_field", (*path, key), f"The field {key!r} is required.")
        return found

    return read


def _read_field(
    key: str, item: Any, readers: Mapping[str, Reader], path: Path, findings: Findings
) -> Any:
    reader = readers.get(key)
    if reader is not None:
        return reader(item, (*path, key), findings)
    hint = did_you_mean(key, readers)
    findings.error("unknown_field", (*path, key), f"There is no field {key!r} here.", hint)
    return INVALID
