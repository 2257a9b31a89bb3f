"""The syntax of expressions: a subset of CEL, read into a small tree.

Language: https://github.com/google/cel-spec (langdef). Left out: comments, and the values that JSON
does not have (unsigned integers, bytes, messages). Added: the macro ``default(path, fallback)``.

Each node of the tree knows where it stands in the text, so that every error can point at its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class CelSyntaxError(ValueError):
    """The text is no expression; ``at`` is the offset of the fault."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


class Span(NamedTuple):
    """A piece of the text: first offset, and the offset behind the last."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant: null, bool, int, float or str."""

    value: Any
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A root (``params``) or a variable of a macro."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """``target.name``."""

    target: Node
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """``target[key]``."""

    target: Node
    key: Node
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """``function(args)``, where ``target.function(args)`` counts the target as first argument."""

    function: str
    args: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Macro:
    """``source.map(variable, step)`` and its kin; ``keep`` is the condition of a three-part map."""

    kind: str
    source: Node
    variable: str
    step: Node
    keep: Node | None
    span: Span


@dataclass(frozen=True, slots=True)
class Has:
    """``has(a.b.c)``."""

    target: Member | Index
    span: Span


@dataclass(frozen=True, slots=True)
class Default:
    """``default(a.b.c, fallback)``."""

    target: Node
    fallback: Node
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    """``!x`` or ``-x``."""

    operator: str
    operand: Node
    span: Span


@dataclass(frozen=True, slots=True)
class Logic:
    """``a && b && ...`` or ``a || b || ...``."""

    operator: str
    terms: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Chain:
    """``first op term op term ...`` of equal precedence, from the left."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Choice:
    """``condition ? then : other``."""

    condition: Node
    then: Node
    other: Node
    span: Span


@dataclass(frozen=True, slots=True)
class ListOf:
    """``[a, b]``."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class MapOf:
    """``{'a': b}``."""

    entries: tuple[tuple[Node, Node], ...]
    span: Span


Node = (
    Literal
    | Name
    | Member
    | Index
    | Call
    | Macro
    | Has
    | Default
    | Unary
    | Logic
    | Chain
    | Choice
    | ListOf
    | MapOf
)


def children(node: Node) -> list[Node]:
    """The nodes directly below a node."""
    if isinstance(node, Member | Has):
        return [node.target]
    if isinstance(node, Index):
        return [node.target, node.key]
    if isinstance(node, Default):
        return [node.target, node.fallback]
    if isinstance(node, Macro):
        return [node.source, node.step, *([] if node.keep is None else [node.keep])]
    if isinstance(node, Choice):
        return [node.condition, node.then, node.other]
    if isinstance(node, Chain):
        return [node.first, *(term for _, term in node.rest)]
    if isinstance(node, MapOf):
        return [part for entry in node.entries for part in entry]
    if isinstance(node, Unary):
        return [node.operand]
    return list(_listed(node))


def _listed(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Logic):
        return node.terms
    if isinstance(node, ListOf):
        return node.items
    return node.args if isinstance(node, Call) else ()


def depth(tree: Node) -> int:
    """Levels of a tree; counted without recursion, for trees too deep to walk otherwise."""
    deepest = 0
    stack = [(tree, 1)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children(node))
    return deepest
