"""The functions that expressions may call. Each pays for what it makes; none has side effects."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from celesta.graph import patterns
from celesta.graph.cel import times
from celesta.graph.cel.values import (
    Budget,
    CelError,
    CelTypeError,
    Function,
    checked_int,
    compare,
    demand,
    is_number,
    time_text,
    type_name,
)

# --- any type ---

_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)


def _size(_: Budget, value: Any) -> int:
    return len(demand("size", value, str, list, Mapping))


def _int(_: Budget, value: Any) -> int:
    if isinstance(value, datetime):
        return int(value.timestamp())
    demand("int", value, int, float, str)
    number = value
    if isinstance(value, str):
        number = value if _WHOLE.fullmatch(value) else math.nan
    try:
        return checked_int(int(number))
    except (ValueError, OverflowError):
        raise CelError(f"{value!r:.50} is no whole number") from None


def _double(_: Budget, value: Any) -> float:
    demand("double", value, int, float, str)
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise CelError(f"{value!r:.50} is no number") from None


def _string(_: Budget, value: Any) -> str:
    demand("string", value, str, bool, int, float, datetime, timedelta)
    return value if isinstance(value, str) else plain_text(value)


def plain_text(value: Any) -> str:
    """A bool, number, timestamp or duration as text, the way JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | timedelta):
        return time_text(value)
    return str(value)


def _bool(_: Budget, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "false": False}
    if isinstance(value, str) and value in known:
        return known[value]
    raise CelError(f"{value!r:.50} is neither 'true' nor 'false'")


# --- texts ---

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)


def _text_test(name: str, test: Callable[[str, str], bool]) -> Function:
    def function(budget: Budget, text: Any, other: Any) -> bool:
        budget.pay(len(demand(name, text, str)) // 64)
        return test(text, demand(name, other, str))

    return function


def _matches(budget: Budget, text: Any, pattern: Any) -> bool:
    budget.pay(len(demand("matches", text, str)) // 8)
    try:
        return patterns.found(demand("matches", pattern, str), text)
    except ValueError as error:
        raise CelError(str(error)) from None


def _split(budget: Budget, text: Any, separator: Any) -> list[str]:
    demand("split", text, str)
    budget.pay(len(text) // 8)
    parts = text.split(demand("split", separator, str)) if separator else list(text)
    return budget.pay_for(parts)  # type: ignore[no-any-return]


def _join(budget: Budget, items: Any, separator: Any = "") -> str:
    texts = [demand("join", item, str) for item in demand("join", items, list)]
    budget.pay(len(texts) + sum(map(len, texts)) // 8)
    budget.pay(len(texts) * len(demand("join", separator, str)) // 8)
    return str(separator.join(texts))


def _replace(budget: Budget, text: Any, old: Any, new: Any) -> str:
    for value in (text, old, new):
        demand("replace", value, str)
    count = text.count(old)
    budget.pay((len(text) + count * len(new)) // 8)
    return str(text.replace(old, new))


def _substring(budget: Budget, text: Any, start: Any, end: Any = None) -> str:
    demand("substring", text, str)
    stop = len(text) if end is None else demand("substring", end, int)
    if not 0 <= demand("substring", start, int) <= stop <= len(text):
        raise CelError(f"substring({start}, {stop}) lies outside a text of {len(text)}")
    return str(budget.pay_for(text[start:stop]))


def _text_map(name: str, change: Callable[[str], str]) -> Function:
    def function(budget: Budget, text: Any) -> str:
        return str(budget.pay_for(change(demand(name, text, str))))

    return function


def _index_of(budget: Budget, text: Any, part: Any) -> int:
    budget.pay(len(demand("indexOf", text, str)) // 64)
    return int(text.find(demand("indexOf", part, str)))


# --- lists ---


def _sum(budget: Budget, items: Any) -> Any:
    budget.pay(len(demand("sum", items, list)))
    if not all(is_number(item) for item in items):
        raise CelTypeError("sum() adds numbers only")
    total = math.fsum(items) if any(isinstance(item, float) for item in items) else sum(items)
    return total if isinstance(total, float) else checked_int(total)


def _extreme(name: str, operator: str) -> Function:
    def function(budget: Budget, *args: Any) -> Any:
        items = args[0] if len(args) == 1 and isinstance(args[0], list) else list(args)
        budget.pay(len(items))
        if not items:
            raise CelError(f"{name}() of nothing")
        best = items[0]
        for item in items[1:]:
            best = item if compare(operator, item, best) else best
        return best

    return function


def _end(name: str, index: int) -> Function:
    def function(_: Budget, items: Any) -> Any:
        if not demand(name, items, list):
            raise CelError(f"{name}() of an empty list")
        return items[index]

    return function


def _scalars(name: str, items: Any, budget: Budget) -> list[Any]:
    budget.pay(2 * len(demand(name, items, list)))
    for item in items:
        if not isinstance(item, str | int | float | bool):
            raise CelTypeError(f"{name}() is defined for lists of texts, numbers or bools")
    return list(items)


def _distinct(budget: Budget, items: Any) -> list[Any]:
    # bool is kept apart from 0 and 1, which Python takes for equal.
    seen: dict[tuple[bool, Any], Any] = {}
    for item in _scalars("distinct", items, budget):
        seen.setdefault((isinstance(item, bool), item), item)
    return list(seen.values())


def _sort(budget: Budget, items: Any) -> list[Any]:
    found = _scalars("sort", items, budget)
    kinds = {"number" if is_number(item) else type_name(item) for item in found}
    if len(kinds) > 1:
        raise CelTypeError(f"sort() of {' and '.join(sorted(kinds))} together")
    budget.pay(len(found) * max(1, len(found).bit_length()) // 4)
    return sorted(found)


def _reverse(budget: Budget, items: Any) -> Any:
    return budget.pay_for(demand("reverse", items, list)[::-1])


def _slice(budget: Budget, items: Any, start: Any, end: Any) -> Any:
    demand("slice", items, list)
    if not 0 <= demand("slice", start, int) <= demand("slice", end, int) <= len(items):
        raise CelError(f"slice({start}, {end}) lies outside a list of {len(items)}")
    return budget.pay_for(items[start:end])


def _flatten(budget: Budget, items: Any) -> list[Any]:
    found: list[Any] = []
    for item in demand("flatten", items, list):
        part = item if isinstance(item, list) else [item]
        budget.pay_for(part)
        found.extend(part)
    return found


# --- numbers ---


def _rounding(name: str, change: Callable[[float], float]) -> Function:
    def function(_: Budget, value: Any) -> float:
        demand(name, value, int, float)
        return float(value) if not math.isfinite(value) else float(change(value))

    return function


def _round(value: float) -> float:
    """Half away from zero, as CEL's math library rounds (Python rounds half to even)."""
    return math.copysign(math.floor(abs(value) + 0.5), value)


def _abs(_: Budget, value: Any) -> Any:
    found = abs(demand("math.abs", value, int, float))
    return checked_int(found) if isinstance(found, int) else found


#: Every function by name, with the least and most arguments it takes (the target counts).
FUNCTIONS: dict[str, tuple[Function, int, int]] = {
    "size": (_size, 1, 1),
    "int": (_int, 1, 1),
    "double": (_double, 1, 1),
    "string": (_string, 1, 1),
    "bool": (_bool, 1, 1),
    "contains": (_text_test("contains", str.__contains__), 2, 2),
    "startsWith": (_text_test("startsWith", str.startswith), 2, 2),
    "endsWith": (_text_test("endsWith", str.endswith), 2, 2),
    "matches": (_matches, 2, 2),
    "split": (_split, 2, 2),
    "join": (_join, 1, 2),
    "replace": (_replace, 3, 3),
    "substring": (_substring, 2, 3),
    "indexOf": (_index_of, 2, 2),
    "lowerAscii": (_text_map("lowerAscii", lambda text: text.translate(_LOWER)), 1, 1),
    "upperAscii": (_text_map("upperAscii", lambda text: text.translate(_UPPER)), 1, 1),
    "trim": (_text_map("trim", str.strip), 1, 1),
    "sum": (_sum, 1, 1),
    "min": (_extreme("min", "<"), 1, 20),
    "max": (_extreme("max", ">"), 1, 20),
    "first": (_end("first", 0), 1, 1),
    "last": (_end("last", -1), 1, 1),
    "distinct": (_distinct, 1, 1),
    "sort": (_sort, 1, 1),
    "reverse": (_reverse, 1, 1),
    "slice": (_slice, 3, 3),
    "flatten": (_flatten, 1, 1),
    "math.abs": (_abs, 1, 1),
    "math.ceil": (_rounding("math.ceil", math.ceil), 1, 1),
    "math.floor": (_rounding("math.floor", math.floor), 1, 1),
    "math.round": (_rounding("math.round", _round), 1, 1),
    "math.trunc": (_rounding("math.trunc", math.trunc), 1, 1),
    **times.FUNCTIONS,
}
