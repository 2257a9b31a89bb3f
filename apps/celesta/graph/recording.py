"""Expressions written in Python: each operation is recorded as the CEL text of a document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class Expression:
    """An expression of the document; members, items, calls and operators make longer ones.

    As a value it stands for what the run gives; inside an f-string it is rendered there. Python's
    ``and``, ``or``, ``not``, ``in`` and ``if`` cannot be recorded: write ``&``, ``|``, ``~``,
    :func:`contains` and :func:`choose`; :func:`cel` takes whatever else the language has.
    """

    __slots__ = ("_source",)

    def __init__(self, source: str) -> None:
        self._source = source

    def __str__(self) -> str:
        return f"{{{{ {self._source} }}}}"

    def __repr__(self) -> str:
        return f"Expression({self._source!r})"

    def __getattr__(self, name: str) -> Expression:
        if name.startswith("__"):  # Python's own questions, such as those of copy and pickle
            raise AttributeError(name)
        return Expression(f"{self._source}.{name}")

    def __getitem__(self, key: str | int | Expression) -> Expression:
        return Expression(f"{self._source}[{literal(key)}]")

    def __call__(self, *values: Any) -> Expression:
        """A function behind its first value: ``params.name.size()``."""
        return Expression(f"{self._source}({', '.join(map(literal, values))})")

    def __bool__(self) -> bool:
        raise TypeError(f"{self!r} has no value yet: write &, | and ~, and give it as `when`")

    def __iter__(self) -> Any:
        # Without it Python would ask for item after item, and never come to an end.
        raise TypeError(f"{self!r} has no items yet: a map goes through them in the run")

    def __contains__(self, _: object) -> bool:
        raise TypeError(f"{self!r} has no items yet: write contains(list, item)")

    def _with(self, operator: str, other: Any) -> Expression:
        return Expression(f"({self._source} {operator} {literal(other)})")

    def _behind(self, operator: str, other: Any) -> Expression:
        return Expression(f"({literal(other)} {operator} {self._source})")

    def __eq__(self, other: object) -> Any:
        return self._with("==", other)

    def __ne__(self, other: object) -> Any:
        return self._with("!=", other)

    def __lt__(self, other: Any) -> Expression:
        return self._with("<", other)

    def __le__(self, other: Any) -> Expression:
        return self._with("<=", other)

    def __gt__(self, other: Any) -> Expression:
        return self._with(">", other)

    def __ge__(self, other: Any) -> Expression:
        return self._with(">=", other)

    def __and__(self, other: Any) -> Expression:
        return self._with("&&", other)

    def __or__(self, other: Any) -> Expression:
        return self._with("||", other)

    def __invert__(self) -> Expression:
        return Expression(f"!({self._source})")

    def __add__(self, other: Any) -> Expression:
        return self._with("+", other)

    def __radd__(self, other: Any) -> Expression:
        return self._behind("+", other)

    def __sub__(self, other: Any) -> Expression:
        return self._with("-", other)

    def __rsub__(self, other: Any) -> Expression:
        return self._behind("-", other)

    def __mul__(self, other: Any) -> Expression:
        return self._with("*", other)

    def __rmul__(self, other: Any) -> Expression:
        return self._behind("*", other)

    def __truediv__(self, other: Any) -> Expression:
        return self._with("/", other)

    def __rtruediv__(self, other: Any) -> Expression:
        return self._behind("/", other)

    def __mod__(self, other: Any) -> Expression:
        return self._with("%", other)

    def __neg__(self) -> Expression:
        return Expression(f"-({self._source})")

    __hash__ = None  # type: ignore[assignment]


def literal(value: Any) -> str:
    """A value as CEL writes it; raises TypeError for what has no place in an expression."""
    if isinstance(value, Expression):
        return value._source  # noqa: SLF001 (of our own class)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, Mapping):
        inside = ", ".join(f"{literal(key)}: {literal(child)}" for key, child in value.items())
        return f"{{{inside}}}"
    raise TypeError(f"{value!r} cannot stand in an expression")


def cel(source: str) -> Expression:
    """An expression as its text: ``cel("params.rows.filter(r, r.amount > 0)")``."""
    return Expression(source)


def call(function: str, *values: Any) -> Expression:
    """A function of the language: ``call("size", order.lines)``, ``call("math.abs", a - b)``."""
    return Expression(function)(*values)


def has(path: Expression) -> Expression:
    """True when a path exists."""
    return call("has", path)


def default(path: Expression, value: Any) -> Expression:
    """The value at a path, or another when it is absent or null."""
    return call("default", path, value)


def contains(values: Any, value: Any) -> Expression:
    """True when a list has the value, or a mapping the key."""
    return Expression(f"({literal(value)} in {literal(values)})")


def choose(condition: Expression, then: Any, otherwise: Any) -> Expression:
    """One of two values."""
    return Expression(f"({literal(condition)} ? {literal(then)} : {literal(otherwise)})")
