"""A document as Python: source that builds it with the DSL, for teams that keep flows in code."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from pprint import pformat
from typing import Any, Final

from celesta.graph.document_form import normalise
from celesta.graph.needs import MAP

WIDTH: Final = 96
_IMPORT: Final = "from celesta.graph.dsl import Workflow, body\n"
#: Parameters of ``Workflow.node`` and ``body``: fields of ``with`` of that name go into ``with_``.
_TAKEN: Final = frozenset({"self", "name", "type", "needs", "settings", "with_", "when"})


def python_source(document: Mapping[str, Any]) -> str:
    """Python that builds the document: after it has run, ``flow.document()`` is equal to it.

    Expressions stay the texts that they are; comments and the order inside a node are lost. The
    document has to be one that compiles.
    """
    given = normalise(document)
    head = {key: value for key, value in given.items() if key not in ("workflow", "nodes")}
    lines = [_IMPORT, _call("flow = Workflow", [_literal(given["workflow"])], head)]
    lines += [_node(name, node) for name, node in given["nodes"].items()]
    return "\n".join(lines)


def _node(name: str, node: Mapping[str, Any]) -> str:
    common = {key: node[key] for key in ("needs", "when") if key in node}
    fields = dict(node.get("with") or {})
    do = fields.get("do")
    extra: dict[str, str] = {}
    if node["type"] == MAP and isinstance(do, Mapping) and set(do) - {"type"}:
        extra["do"] = _body(do)
        fields.pop("do")
    positional = [_literal(name), _literal(node["type"])]
    return _call("flow.node", positional, {**common, **_settings(node), **_with(fields)}, extra)


def _body(do: Mapping[str, Any]) -> str:
    fields = dict(do.get("with") or {})
    return _call("body", [_literal(do["type"])], {**_settings(do), **_with(fields)}).rstrip("\n")


def _settings(node: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a node has besides those with a parameter of their own."""
    found = {key: node[key] for key in node if key not in ("type", "needs", "when", "with")}
    return {"settings": found} if found else {}


def _with(fields: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in fields.items() if _is_parameter(key)}
    rest = {key: value for key, value in fields.items() if key not in plain}
    return {**plain, **({"with_": rest} if rest else {})}


def _is_parameter(key: str) -> bool:
    return key.isidentifier() and not keyword.iskeyword(key) and key not in _TAKEN


def _call(
    function: str,
    positional: list[str],
    named: Mapping[str, Any],
    extra: Mapping[str, str] | None = None,
) -> str:
    """A call, an argument a line; ``extra`` arguments are source already."""
    arguments = [*positional, *(f"{key}={_literal(value)}" for key, value in named.items())]
    arguments += [f"{key}={source}" for key, source in (extra or {}).items()]
    if len(arguments) == len(positional):
        return f"{function}({', '.join(arguments)})\n"
    inside = "".join(f"    {text},\n".replace("\n", "\n    ").rstrip(" ") for text in arguments)
    return f"{function}(\n{inside})\n"


def _literal(value: Any) -> str:
    return pformat(value, width=WIDTH, sort_dicts=False)
