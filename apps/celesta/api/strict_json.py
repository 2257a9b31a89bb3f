"""JSON as RFC 8259 has it and PostgreSQL can store it: no NaN, no duplicate keys, no NUL.

The standard parser takes all of these; stored, they would end as an error of the database.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

from celesta.api.refusals import MalformedBody

#: Deeper documents are refused; the database and every reader must cope with what is let in.
MAX_DEPTH: Final = 100


def loads(data: bytes) -> Any:
    """Parse a body; raises MalformedBody that says where and why."""
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError as error:
        raise MalformedBody(f"The body is not UTF-8 (byte {error.start}).") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise MalformedBody(f"The body is not JSON: {error.msg} ({where}).") from error
    except RecursionError as error:
        raise MalformedBody(_TOO_DEEP) from error
    _check(value)
    return value


_TOO_DEEP: Final = f"The body is nested more than {MAX_DEPTH} levels deep."


def _no_constant(name: str) -> NoReturn:
    raise MalformedBody(f"{name} is not JSON; leave the value out or use null.")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise MalformedBody(f"The number {text[:40]} is too large.")
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:  # Python's own limit on digits
        raise MalformedBody(f"The number {text[:40]}... has too many digits.") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedBody(f"The key {twice!r} is there twice in one object.")
    return found


def _check(value: Any) -> None:
    """Refuse what cannot be stored, and depth; without recursion, since depth is the foe."""
    rest: list[tuple[Any, int]] = [(value, 0)]
    while rest:
        item, depth = rest.pop()
        if isinstance(item, str):
            _storable(item)
        elif depth >= MAX_DEPTH and isinstance(item, dict | list):
            raise MalformedBody(_TOO_DEEP)
        elif isinstance(item, dict):
            for key, inner in item.items():
                _storable(key)
                rest.append((inner, depth + 1))
        elif isinstance(item, list):
            rest.extend((inner, depth + 1) for inner in item)


def _storable(text: str) -> None:
    if "\x00" in text:
        raise MalformedBody("The body has a NUL character (\\u0000), which cannot be stored.")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise MalformedBody("The body has half of a surrogate pair, which is not a character.")
