"""Evaluates the tree of an expression over plain JSON, without copying the data it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from celesta.graph.cel import arithmetic, syntax
from celesta.graph.cel.functions import FUNCTIONS
from celesta.graph.cel.syntax import Node
from celesta.graph.cel.values import (
    Budget,
    CelError,
    CelTypeError,
    UnresolvedError,
    compare,
    contains,
    equal,
    no_overload,
    type_name,
)

#: Steps of one evaluation: about a second of one core, whatever the expression and its data.
MAX_STEPS = 2_000_000


class Evaluation:
    """One expression (``text`` and its ``tree``) over one scope of roots."""

    def __init__(self, text: str, scope: Mapping[str, Any], budget: Budget) -> None:
        self.text = text
        self.scope = scope
        self.budget = budget
        #: Variables of the macros around the current node.
        self.variables: dict[str, Any] = {}

    def value(self, node: Node) -> Any:
        """The value of a node of the tree; raises CelError with the piece of text that failed."""
        self.budget.pay(1)
        try:
            return _EVALUATE[type(node)](self, node)
        except CelError as error:
            if error.span is None:
                error.span = node.span
            raise

    def source(self, node: Node) -> str:
        """The piece of the text that a node was read from."""
        return self.text[node.span.start : node.span.end]


# --- reading data ---


def _literal(_: Evaluation, node: syntax.Literal) -> Any:
    return node.value


def _name(run: Evaluation, node: syntax.Name) -> Any:
    if node.name in run.variables:
        return run.variables[node.name]
    try:
        return run.scope[node.name]
    except KeyError:
        raise UnresolvedError(f"there is no {node.name!r} here") from None


def _member(run: Evaluation, node: syntax.Member) -> Any:
    return _inside(run, node, node.name)


def _index(run: Evaluation, node: syntax.Index) -> Any:
    return _inside(run, node, run.value(node.key))


def _inside(run: Evaluation, node: syntax.Member | syntax.Index, key: Any) -> Any:
    target = run.value(node.target)
    if isinstance(target, Mapping) and isinstance(key, str):
        try:
            return target[key]
        except KeyError:
            raise _absent(run, node, f"{run.source(node.target)} has no {key!r}") from None
    if isinstance(target, list) and type(key) is int:
        if 0 <= key < len(target):
            return target[key]
        count = f"{run.source(node.target)} has {len(target)} items"
        raise _absent(run, node, f"{count}, counted from 0")
    if target is None:
        raise _absent(run, node, f"{run.source(node.target)} is null")
    raise CelTypeError(f"{run.source(node.target)} is a {type_name(target)}: no {key!r} in it")


def _absent(run: Evaluation, node: Node, reason: str) -> UnresolvedError:
    return UnresolvedError(f"{run.source(node)} does not exist: {reason}", node.span)


def _has(run: Evaluation, node: syntax.Has) -> bool:
    try:
        run.value(node.target)
    except UnresolvedError:
        return False
    return True


def _default(run: Evaluation, node: syntax.Default) -> Any:
    try:
        found = run.value(node.target)
    except UnresolvedError:
        found = None
    return run.value(node.fallback) if found is None else found


# --- operators ---


def _unary(run: Evaluation, node: syntax.Unary) -> Any:
    operand = run.value(node.operand)
    if node.operator == "-":
        return arithmetic.negate(operand)
    return not _bool(operand, "!")


def _chain(run: Evaluation, node: syntax.Chain) -> Any:
    result = run.value(node.first)
    for operator, term in node.rest:
        result = _binary(run, operator, result, run.value(term))
    return result


def _binary(run: Evaluation, operator: str, left: Any, right: Any) -> Any:
    if operator == "==":
        return equal(left, right, run.budget)
    if operator == "!=":
        return not equal(left, right, run.budget)
    if operator == "in":
        return contains(right, left, run.budget)
    if operator in {"<", "<=", ">", ">="}:
        return compare(operator, left, right)
    return arithmetic.apply(operator, left, right, run.budget)


def _logic(run: Evaluation, node: syntax.Logic) -> bool:
    terms = (lambda term=term: run.value(term) for term in node.terms)
    return _decided(terms, node.operator, decisive=node.operator == "||")


def _choice(run: Evaluation, node: syntax.Choice) -> Any:
    condition = _bool(run.value(node.condition), "?")
    return run.value(node.then if condition else node.other)


# --- making data ---


def _list(run: Evaluation, node: syntax.ListOf) -> list[Any]:
    return [run.value(item) for item in node.items]


def _map(run: Evaluation, node: syntax.MapOf) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key_node, value_node in node.entries:
        key = run.value(key_node)
        if not isinstance(key, str):
            raise CelTypeError(f"a key of a map is a text, not a {type_name(key)}")
        made[key] = run.value(value_node)
    return made


def _call(run: Evaluation, node: syntax.Call) -> Any:
    function, _, _ = FUNCTIONS[node.function]
    args = [run.value(arg) for arg in node.args]
    run.budget.pay(1)
    return function(run.budget, *args)


# --- macros ---


def _macro(run: Evaluation, node: syntax.Macro) -> Any:
    source = run.value(node.source)
    if not isinstance(source, list | Mapping):
        raise no_overload(f"{node.kind}()", source)
    return _MACROS[node.kind](run, node, list(source))


def _with(run: Evaluation, node: syntax.Macro, item: Any, part: Node) -> Any:
    """The value of a part of the macro, with its variable bound to an item."""
    missing = object()
    outer = run.variables.get(node.variable, missing)
    run.variables[node.variable] = item
    try:
        return run.value(part)
    finally:
        if outer is missing:
            del run.variables[node.variable]
        else:
            run.variables[node.variable] = outer


def _kept(run: Evaluation, node: syntax.Macro, items: list[Any], condition: Node) -> list[Any]:
    return [item for item in items if _bool(_with(run, node, item, condition), node.kind)]


def _macro_map(run: Evaluation, node: syntax.Macro, items: list[Any]) -> list[Any]:
    if node.keep is not None:
        items = _kept(run, node, items, node.keep)
    return [_with(run, node, item, node.step) for item in items]


def _macro_filter(run: Evaluation, node: syntax.Macro, items: list[Any]) -> list[Any]:
    return _kept(run, node, items, node.step)


def _macro_exists_one(run: Evaluation, node: syntax.Macro, items: list[Any]) -> bool:
    return len(_kept(run, node, items, node.step)) == 1


def _macro_exists(run: Evaluation, node: syntax.Macro, items: list[Any]) -> bool:
    tests = (lambda item=item: _with(run, node, item, node.step) for item in items)
    return _decided(tests, node.kind, decisive=True)


def _macro_all(run: Evaluation, node: syntax.Macro, items: list[Any]) -> bool:
    tests = (lambda item=item: _with(run, node, item, node.step) for item in items)
    return _decided(tests, node.kind, decisive=False)


def _bool(value: Any, operation: str) -> bool:
    if isinstance(value, bool):
        return value
    raise no_overload(operation, value)


def _decided(terms: Iterable[Callable[[], Any]], operation: str, *, decisive: bool) -> bool:
    """``decisive`` as soon as one term has that value, whatever other terms failed (as in CEL)."""
    failure: CelError | None = None
    for term in terms:
        try:
            if _bool(term(), operation) is decisive:
                return decisive
        except CelError as error:
            if error.code == "expression_too_costly":
                raise
            failure = failure or error
    if failure is not None:
        raise failure
    return not decisive


_EVALUATE: dict[type, Callable[[Evaluation, Any], Any]] = {
    syntax.Literal: _literal,
    syntax.Name: _name,
    syntax.Member: _member,
    syntax.Index: _index,
    syntax.Has: _has,
    syntax.Default: _default,
    syntax.Unary: _unary,
    syntax.Chain: _chain,
    syntax.Logic: _logic,
    syntax.Choice: _choice,
    syntax.ListOf: _list,
    syntax.MapOf: _map,
    syntax.Call: _call,
    syntax.Macro: _macro,
}
_MACROS: dict[str, Callable[[Evaluation, syntax.Macro, list[Any]], Any]] = {
    "map": _macro_map,
    "filter": _macro_filter,
    "all": _macro_all,
    "exists": _macro_exists,
    "exists_one": _macro_exists_one,
}
