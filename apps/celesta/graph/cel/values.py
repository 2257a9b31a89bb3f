"""Values of expressions: CEL's types over plain JSON, and what may be done with them.

CEL does not convert by itself: ``1 + 1.5`` and ``'a' + 1`` are errors. Numbers of both kinds may be
compared with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from celesta.graph.cel.syntax import Span

INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1

#: A function of the language: takes the budget, then the arguments.
Function = Callable[..., Any]


class CelError(Exception):
    """An expression that cannot be evaluated with the values at hand.

    ``code`` is stable; ``span`` is the piece of the text that failed.
    """

    code = "expression_failed"

    def __init__(self, message: str, span: Span | None = None) -> None:
        super().__init__(message)
        self.span = span


class UnresolvedError(CelError):
    """A member that does not exist."""

    code = "unresolved_reference"


class CelTypeError(CelError):
    """An operation that its operands' types do not have."""

    code = "expression_type"


class TooCostlyError(CelError):
    """The expression used up its steps."""

    code = "expression_too_costly"


class Budget:
    """Steps that one evaluation may take: operations, and eighths of what is made.

    What an expression can build is bounded with it: nothing is copied without being paid for.
    """

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    def pay(self, steps: int) -> None:
        """Use steps up; raises TooCostlyError when there are none left."""
        self.left -= steps
        if self.left < 0:
            raise TooCostlyError(
                "the expression takes too many steps for its data; move this work into a node"
            )

    def pay_for(self, made: Any) -> Any:
        """Pay for a text or list that was just made, and return it."""
        self.pay(1 + len(made) // 8)
        return made


def type_name(value: Any) -> str:
    """CEL's name of a value's type."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "map"
    return _TYPE_NAMES.get(type(value), type(value).__name__)


_TYPE_NAMES: dict[type, str] = {
    bool: "bool",
    int: "int",
    float: "double",
    str: "string",
    list: "list",
    datetime: "timestamp",
    timedelta: "duration",
}
_NUMBERS = (int, float)


def is_number(value: Any) -> bool:
    """True for int and double; bool is neither."""
    return type(value) in _NUMBERS


def checked_int(value: int) -> int:
    """The value; raises CelError when it has more than 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise CelError("the whole number has more than 64 bits")


def equal(left: Any, right: Any, budget: Budget) -> bool:
    """CEL's equality: numbers by value, containers member by member, other types never mixed."""
    budget.pay(1)
    if is_number(left) and is_number(right):
        return bool(left == right)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(
            equal(left[key], right[key], budget) for key in left
        )
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(
            equal(a, b, budget) for a, b in zip(left, right, strict=True)
        )
    if isinstance(left, str):
        budget.pay(min(len(left), len(right)) // 64)
    return bool(left == right)


_ORDERED = (bool, str, datetime, timedelta)


def compare(operator: str, left: Any, right: Any) -> bool:
    """``<``, ``<=``, ``>`` or ``>=``."""
    ordered = type(left) is type(right) and isinstance(left, _ORDERED)
    if not ordered and not (is_number(left) and is_number(right)):
        raise no_overload(operator, left, right)
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    if operator == ">":
        return bool(left > right)
    return bool(left >= right)


def no_overload(operation: str, *operands: Any) -> CelTypeError:
    """The error for an operation that these types do not have."""
    names = " and ".join(type_name(operand) for operand in operands)
    hint = ""
    if len(operands) == 2 and {type_name(o) for o in operands} & {"int", "double", "string"}:
        hint = "; convert with int(), double() or string()"
    return CelTypeError(f"{operation} is not defined for {names}{hint}")


def demand(function: str, value: Any, *types: type) -> Any:
    """The value, when it is of one of these types (bool is no int); raises CelTypeError else."""
    if isinstance(value, types) and not (isinstance(value, bool) and bool not in types):
        return value
    raise CelTypeError(f"{function}() is not defined for {type_name(value)}")


def contains(container: Any, item: Any, budget: Budget) -> bool:
    """``item in container``: an element of a list, a key of a map."""
    if isinstance(container, list):
        return any(equal(item, element, budget) for element in container)
    if isinstance(container, Mapping) and isinstance(item, str | int | bool):
        return isinstance(item, str) and item in container
    raise no_overload("in", item, container)


def to_json(value: Any, budget: Budget) -> Any:
    """The value as plain JSON: timestamps as RFC 3339, durations as seconds (``300s``).

    Every member is paid for: shared parts of a small value may unfold into a huge one.
    """
    budget.pay(1 + len(value) // 64 if isinstance(value, str) else 1)
    if isinstance(value, Mapping):
        return {key: to_json(member, budget) for key, member in value.items()}
    if isinstance(value, list):
        return [to_json(item, budget) for item in value]
    if isinstance(value, float) and (value != value or value in {float("inf"), -float("inf")}):
        raise CelError(f"the result {value} is not a JSON number")
    if isinstance(value, datetime | timedelta):
        return time_text(value)
    return value


def time_text(value: datetime | timedelta) -> str:
    """How a timestamp or a duration is written."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    seconds = value.total_seconds()
    return f"{int(seconds)}s" if seconds == int(seconds) else f"{seconds}s"
