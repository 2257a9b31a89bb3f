"""``+ - * / %`` and the minus sign, as in CEL: strict types, 64 bits, truncated division."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from celesta.graph.cel.values import Budget, CelError, checked_int, no_overload, type_name


def apply(operator: str, left: Any, right: Any, budget: Budget) -> Any:
    """The result of a binary arithmetic operator."""
    budget.pay(1)
    kinds = (type(left), type(right))
    if kinds == (int, int):
        return checked_int(_INTEGERS[operator](left, right))
    if kinds == (float, float) and operator != "%":
        return _doubles(operator, left, right)
    if operator == "+" and kinds in {(str, str), (list, list)}:
        return budget.pay_for(left + right)
    if datetime in kinds or timedelta in kinds:
        return _times(operator, left, right)
    raise no_overload(operator, left, right)


def negate(value: Any) -> Any:
    """``-value``."""
    if type(value) is int:
        return checked_int(-value)
    if type(value) is float:
        return -value
    raise no_overload("-", value)


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise CelError("division by zero")
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    return left - right * _divide(left, right)


_INTEGERS = {
    "+": int.__add__,
    "-": int.__sub__,
    "*": int.__mul__,
    "/": _divide,
    "%": _remainder,
}


def _doubles(operator: str, left: float, right: float) -> float:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if right == 0:  # IEEE 754, as CEL demands; Python would raise
        undefined = left == 0 or math.isnan(left)
        return math.nan if undefined else math.copysign(math.inf, left) * math.copysign(1, right)
    return left / right


def _times(operator: str, left: Any, right: Any) -> Any:
    known = {
        ("+", "timestamp", "duration"),
        ("+", "duration", "timestamp"),
        ("+", "duration", "duration"),
        ("-", "timestamp", "timestamp"),
        ("-", "timestamp", "duration"),
        ("-", "duration", "duration"),
    }
    if (operator, type_name(left), type_name(right)) not in known:
        raise no_overload(operator, left, right)
    try:
        return left + right if operator == "+" else left - right
    except OverflowError:
        raise CelError("the result is no time that can be written") from None
