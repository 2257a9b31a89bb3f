"""Evaluates expressions and templates in a run.

A *scope* maps the roots that expressions may read to JSON values: ``params``, ``vars``, ``run``,
inside a map ``item`` and ``index``, and ``nodes``, which maps names to mappings with ``state``,
``output`` and ``error``. ``output`` counts only in state ``succeeded``, ``error`` only when it is
not null: what a node does not have is absent, so that ``has(nodes.pay.output)`` tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from celesta.graph import paths, templates
from celesta.graph.cel import syntax
from celesta.graph.cel.evaluator import MAX_STEPS, Evaluation
from celesta.graph.cel.functions import plain_text
from celesta.graph.cel.parser import parse
from celesta.graph.cel.syntax import CelSyntaxError
from celesta.graph.cel.values import Budget, CelError, to_json, type_name
from celesta.graph.paths import Path
from celesta.graph.templates import Hole


class ExpressionError(ValueError):
    """An expression could not be evaluated.

    ``code``: expression_syntax, unresolved_reference, expression_type, expression_failed,
    expression_too_costly, when_not_bool or null_in_text. ``path`` leads to the template.
    """

    def __init__(self, code: str, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.code = code
        self.path = path
        self.message = message


def evaluate(expression: str, scope: Mapping[str, Any], path: str = "") -> Any:
    """The JSON value of an expression, written bare or as ``{{ }}``; raises ExpressionError."""
    try:
        return _value(templates.bare(expression), scope, Budget(MAX_STEPS))
    except CelSyntaxError as error:
        raise ExpressionError("expression_syntax", path, f"{error} (in {expression!r})") from None
    except CelError as error:
        raise ExpressionError(error.code, path, str(error)) from None


def condition(expression: str, scope: Mapping[str, Any], path: str = "when") -> bool:
    """Whether a condition holds; raises ExpressionError when it gives neither true nor false."""
    value = evaluate(expression, scope, path)
    if isinstance(value, bool):
        return value
    message = f"the condition gave {type_name(value)}, not true or false"
    raise ExpressionError("when_not_bool", path, message)


def resolve(value: Any, scope: Mapping[str, Any], path: str = "with") -> Any:
    """The value with all its templates resolved, at every depth; keys of mappings stay as they are.

    Raises ExpressionError with the path of the template that failed.
    """
    return _Resolution(scope).resolve(value, paths.parse(path))


class _Resolution:
    """One call of :func:`resolve`: all its expressions share one budget of steps."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._scope = scope
        self._budget = Budget(MAX_STEPS)

    def resolve(self, value: Any, path: Path) -> Any:
        if isinstance(value, str):
            return self._text(value, path) if "{{" in value else value
        if isinstance(value, Mapping):
            return {key: self.resolve(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(item, (*path, index)) for index, item in enumerate(value)]
        return value

    def _text(self, text: str, path: Path) -> Any:
        try:
            template = templates.parse(text)
            if template.whole is not None:
                return _value(template.whole.source, self._scope, self._budget)
            return "".join(
                _rendered(part, self._scope, self._budget) if isinstance(part, Hole) else part
                for part in template.parts
            )
        except CelSyntaxError as error:
            message = f"{error} (in {text!r:.200})"
            raise ExpressionError("expression_syntax", paths.render(path), message) from None
        except CelError as error:
            raise ExpressionError(error.code, paths.render(path), str(error)) from None


def _value(source: str, scope: Mapping[str, Any], budget: Budget) -> Any:
    tree = parse(source)
    value = Evaluation(source, _Scope(scope), budget).value(tree)
    # A plain path gives data that was JSON before; it is not copied, however large it is.
    if isinstance(tree, syntax.Member | syntax.Index | syntax.Name | syntax.Literal):
        return value
    return to_json(value, budget)


class NullInTextError(CelError):
    """Null has no text of its own."""

    code = "null_in_text"


def _rendered(hole: Hole, scope: Mapping[str, Any], budget: Budget) -> str:
    """The value as part of a text: texts as they are, everything else as JSON writes it."""
    value = _value(hole.source, scope, budget)
    if isinstance(value, str):
        budget.pay(len(value) // 64)
        return value
    if value is None:
        raise NullInTextError(
            f"{hole.source} is null and stands inside a text; write default({hole.source}, '')"
        )
    if isinstance(value, Mapping | list):
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)
        budget.pay(len(text) // 64)
        return text
    return plain_text(value)


class _Scope(Mapping[str, Any]):
    """A scope in which what a node does not have is absent."""

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._given = scope

    def __getitem__(self, root: str) -> Any:
        value = self._given[root]
        return _Nodes(value) if root == "nodes" else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._given)

    def __len__(self) -> int:
        return len(self._given)


class _Nodes(Mapping[str, Any]):
    """The nodes of a scope, each without its absent members."""

    def __init__(self, nodes: Mapping[str, Any]) -> None:
        self._nodes = nodes

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        record = self._nodes[name]
        succeeded = record.get("state", "succeeded") == "succeeded"
        return {
            key: value
            for key, value in record.items()
            if (key != "output" or succeeded) and (key != "error" or value is not None)
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)
