"""The registry of node types: what a document may name under ``type`` and ``with``.

A node type is declared once, by a class whose ``Config`` is a pydantic model: its JSON Schema is
the check at publish, the form in the editor and the page in the docs. The class lives with its code
in the worker package (or in an outside one); this registry only knows what it was told, so
``graph`` imports nothing from above.

A class may also have ``waits = True`` (its nodes wait without a slot: default timeouts are not for
them) and ``unresolved`` (names of fields whose templates belong to another scope).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from celesta.graph.problems import Problem


class NodeType(Protocol):
    """What the compiler and the pages need to know of a node type."""

    name: ClassVar[str]
    title: ClassVar[str]
    #: One sentence for the palette and the docs.
    summary: ClassVar[str]
    Config: ClassVar[type[BaseModel]]

    def check(self, config: Mapping[str, Any], path: str) -> list[Problem]:
        """Problems that the schema cannot express (an unregistered function, say). No I/O."""
        ...


class Registry:
    """Node types by name. Registering a second class under a name is an error."""

    def __init__(self) -> None:
        self._types: dict[str, NodeType] = {}

    def register(self, node_type: NodeType) -> NodeType:
        """Add a type; raises ValueError when the name is taken by another class."""
        known = self._types.get(node_type.name)
        if known is not None and type(known) is not type(node_type):
            raise ValueError(f"node type {node_type.name!r} is already registered by {known!r}")
        self._types[node_type.name] = node_type
        return node_type

    def get(self, name: str) -> NodeType | None:
        """The type of that name, or None."""
        return self._types.get(name)

    def __iter__(self) -> Iterator[NodeType]:
        return iter(sorted(self._types.values(), key=lambda t: t.name))

    def __contains__(self, name: str) -> bool:
        return name in self._types

    def __len__(self) -> int:
        return len(self._types)


#: The process-wide registry, filled when Django starts (see ``celesta.runs.apps``).
registry = Registry()
