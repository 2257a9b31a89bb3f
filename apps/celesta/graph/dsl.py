"""Workflows written in Python: the same documents as in YAML, with names the editor can follow.

flow = Workflow("orders.fulfil", params={...}, defaults={"retry": {"attempts": 3}})

fetch = flow.node("fetch", "http", url=f"{variables.shop_url}/orders/{params.order_id}")

@flow.step(needs=[fetch], args={"order": fetch.output.body})
def ship(order: dict) -> dict: ...

flow.output = ship.output
flow.document()      # what celesta.graph.compiler takes; flow.yaml() is its text
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from celesta.graph import documents, durations, functions
from celesta.graph.recording import Expression, call, cel, choose, contains, default, has

__all__ = [
    "Expression", "NodeRef", "Workflow", "body", "call", "cel", "choose", "contains", "default",
    "has", "index", "item", "params", "run", "variables",
]  # fmt: skip


params = Expression("params")
variables = Expression("vars")
item = Expression("item")
index = Expression("index")
run = Expression("run")


@dataclass(frozen=True, slots=True, eq=False)
class NodeRef:
    """A node of a workflow, to be needed and read by others."""

    name: str

    @property
    def output(self) -> Expression:
        """What the node gives when it succeeds."""
        return Expression(f"nodes.{self.name}.output")

    @property
    def state(self) -> Expression:
        """How the node ended."""
        return Expression(f"nodes.{self.name}.state")

    @property
    def error(self) -> Expression:
        """Why it failed."""
        return Expression(f"nodes.{self.name}.error")

    def case(self, name: str) -> str:
        """One case of a branch, for ``needs``."""
        return f"{self.name}.{name}"


Need = NodeRef | str


@dataclass(slots=True)
class Workflow:
    """A document in the making; ``output`` may be set any time before :meth:`document`."""

    name: str
    title: str = ""
    description: str = ""
    tags: list[str] = field(default_factory=list)
    params: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    timeout: str | timedelta | None = None
    output: Any = None
    _nodes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def node(
        self,
        name: str,
        type: str,  # noqa: A002 (the document's word)
        *,
        needs: Iterable[Need] = (),
        settings: Mapping[str, Any] | None = None,
        with_: Mapping[str, Any] | None = None,
        when: Expression | str | None = None,
        **fields: Any,
    ) -> NodeRef:
        """Add a node. ``fields`` (or ``with_``) are its ``with`` block.

        ``settings`` are the other fields of a node: join, queue, retry, timeout, priority, title,
        compensates. Raises ValueError when the name is taken.
        """
        if name in self._nodes:
            raise ValueError(f"the workflow {self.name!r} has a node {name!r} already")
        node = {
            "type": type,
            "needs": [need.name if isinstance(need, NodeRef) else need for need in needs],
            "when": when,
            **(settings or {}),
            "with": {**(with_ or {}), **fields},
        }
        self._nodes[name] = {key: plain(value) for key, value in node.items() if _says(value)}
        return NodeRef(name)

    def step(
        self, *, needs: Iterable[Need] = (), args: Mapping[str, Any] | None = None, **common: Any
    ) -> Callable[[Callable[..., Any]], NodeRef]:
        """Make a Python function a node of its own name (and register it, if it is not yet).

        ``common`` are ``when`` and ``settings`` of :meth:`node`. The name becomes the node.
        """

        def decorate(function: Callable[..., Any]) -> NodeRef:
            config: dict[str, Any] = {"function": functions.name_of(function)}
            if args:
                config["args"] = args
            return self.node(function.__name__, "python", needs=needs, with_=config, **common)

        return decorate

    def document(self) -> dict[str, Any]:
        """The document, ready to be compiled."""
        whole = {
            "workflow": self.name,
            "title": self.title,
            "description": self.description,
            "tags": self.tags,
            "params": self.params,
            "defaults": self.defaults,
            "timeout": self.timeout,
            "nodes": self._nodes,
            "output": self.output,
        }
        return {key: plain(value) for key, value in whole.items() if _says(value)}

    def yaml(self) -> str:
        """The document as YAML."""
        return documents.dump(self.document())


def body(
    type: str,  # noqa: A002 (the document's word)
    *,
    settings: Mapping[str, Any] | None = None,
    with_: Mapping[str, Any] | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """The ``do`` of a map: a node without a name. ``fields`` (or ``with_``) are its ``with``."""
    return {"type": type, **(settings or {}), "with": {**(with_ or {}), **fields}}


def _says(value: Any) -> bool:
    return isinstance(value, Expression) or (value is not None and value not in ("", [], {}))


def plain(value: Any) -> Any:
    """The value as the document holds it: expressions and durations as texts, nodes as names."""
    if isinstance(value, Expression):
        return str(value)
    if isinstance(value, NodeRef):
        return value.name
    if isinstance(value, timedelta):
        return durations.text(value.total_seconds())
    if isinstance(value, Mapping):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [plain(child) for child in value]
    return value
