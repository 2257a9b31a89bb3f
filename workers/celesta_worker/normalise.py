"""Turning what a node answered into what the database can keep, once, with a clear refusal else.

A value is encoded to JSON text one time; the text then travels to the database as it is. What JSON,
PostgreSQL's ``jsonb`` or an expression could not hold exactly is refused here, where the author
still sees which node made it, and not later, where a row or another node would break.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

MAX_DEPTH: Final = 200
#: What expressions hold exactly: CEL's int and uint.
SMALLEST, LARGEST = -(2**63), 2**64 - 1

#: ``json`` rather than ``orjson``: the latter writes NaN as null without a word.
_encode = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode
#: Any integer of fewer digits fits into 64 bits.
_long_digits = re.compile(r"[0-9]{19}")
#: Looking for a culprit ends here: a value may contain itself.
_MAX_STEPS: Final = 1_000_000
_MAX_STEPS_DOWN: Final = 1_000


class Refusal(ValueError):
    """The value cannot be kept. ``code`` is stable; ``path`` leads to the culprit inside it."""

    def __init__(self, code: str, path: str, message: str) -> None:
        self.code, self.path, self.message = code, path, message
        super().__init__(message)


def encode(value: Any, max_bytes: int, *, name: str = "output") -> str:
    """JSON text of ``value``; raises :class:`Refusal`.

    Tuples become arrays and keys that are numbers become strings, as ``json.dumps`` does. ``name``
    begins the path and is what messages call the value.
    """
    if value is None:
        return "null"
    try:
        text = _encode(value)
    except Exception as error:  # what a subclass of dict or list does is the author's code
        raise _refused(value, name, error) from error
    _refuse_unstorable(value, text, name)
    _refuse_too_large(text, max_bytes, name)
    return text


def _refuse_unstorable(value: Any, text: str, name: str) -> None:
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _refuse_too_deep(value, name)
    if "\\u0000" in text:
        for path, item in walk(value, name):
            if isinstance(item, str) and "\0" in item:
                raise Refusal("result_nul", path, f"{path} holds a NUL character; remove it")
    if _long_digits.search(text):
        for path, item in walk(value, name):
            if isinstance(item, int) and (found := _fault(path, item)):
                raise found


def _refuse_too_large(text: str, max_bytes: int, name: str) -> None:
    try:
        size = len(text) if text.isascii() else len(text.encode())
    except UnicodeEncodeError as error:
        raise Refusal(
            "result_not_text", name, f"{name} holds half of a surrogate pair, which is no character"
        ) from error
    if size > max_bytes:
        raise Refusal(
            "result_too_large",
            name,
            f"{name} is {size:,} bytes of JSON and {max_bytes:,} are allowed; save it with "
            "context.artifacts.save() and return the reference",
        )


def _refuse_too_deep(value: Any, name: str) -> None:
    layer = [value]
    for _ in range(MAX_DEPTH):
        layer = [child for parent in layer for child in _containers(parent)]
        if not layer:
            return
    raise Refusal("result_too_deep", name, f"{name} is nested deeper than {MAX_DEPTH} levels")


def _containers(value: Any) -> list[Any]:
    return [item for _, item in _entries(value) if isinstance(item, dict | list | tuple)]


def _refused(value: Any, name: str, error: Exception) -> Refusal:
    if isinstance(error, RecursionError) or "Circular" in str(error):
        return Refusal(
            "result_too_deep", name, f"{name} contains itself or is nested too deeply for JSON"
        )
    for path, item in walk(value, name):
        found = _fault(path, item)
        if found:
            return found
    return Refusal("result_not_json", name, f"{name} is not JSON: {error}")


def _fault(path: str, item: Any) -> Refusal | None:
    if isinstance(item, float) and not math.isfinite(item):
        return Refusal("result_nan", path, f"{path} is {item}, which JSON has no number for")
    if isinstance(item, int) and not SMALLEST <= item <= LARGEST:
        return Refusal(
            "result_int_too_large", path, f"{path} needs more than 64 bits; make it a string"
        )
    if item is None or isinstance(item, str | int | float | list | tuple | dict):
        return None
    kind = f"{type(item).__module__}.{type(item).__qualname__}".removeprefix("builtins.")
    return Refusal(
        "result_not_json",
        path,
        f"{path} is a {kind}, which is not JSON; return text, numbers, true, false, null, "
        "lists and mappings only",
    )


def walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every value inside ``value``, keys too, with its path, in reading order."""
    stack = [(path, value, 0)]
    for _ in range(_MAX_STEPS):
        if not stack:
            return
        path, value, depth = stack.pop()
        yield path, value
        if depth == _MAX_STEPS_DOWN:
            continue
        for key, item in reversed(_entries(value)):
            if isinstance(key, int) and not isinstance(value, dict):
                stack.append((f"{path}[{key}]", item, depth + 1))
            else:
                stack += [(f"{path}.{key}", item, depth + 1), (f"{path}.{key}", key, depth + 1)]


def _entries(value: Any) -> list[tuple[Any, Any]]:
    # The built-in classes' own methods: a subclass may have broken its own.
    if isinstance(value, dict):
        return list(dict.items(value))
    if isinstance(value, list):
        return list(enumerate(list.__iter__(value)))
    return list(enumerate(tuple.__iter__(value))) if isinstance(value, tuple) else []
