"""What an expression reads, and what is known to be there when it reads it.

A path is *guarded* where the expression itself makes sure that it exists: behind ``has(path) &&``,
in the right arm of ``has(path) ? a : b``, behind ``nodes.x.state == 'succeeded' &&``, in
``default()``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from celesta.graph.cel import syntax
from celesta.graph.cel.syntax import Node, Span

#: A root and the names below it, as far as they are written out: ("nodes", "pay", "output").
Steps = tuple[str, ...]
#: Paths that exist; those that begin with ABSENT do not.
Known = frozenset[Steps]
ABSENT = "!"

NOTHING: Known = frozenset()


@dataclass(frozen=True, slots=True)
class Reference:
    """One path that an expression reads."""

    steps: Steps
    span: Span
    #: Prefixes of the path that the expression has made sure of.
    known: Known
    #: True inside ``has()`` and the first part of ``default()``, where nothing has to exist.
    optional: bool

    def guarded(self, length: int) -> bool:
        """True when the first ``length`` steps are sure to exist, or need not."""
        return self.optional or any(steps[:length] == self.steps[:length] for steps in self.known)


def read(tree: Node, known: Known = NOTHING) -> list[Reference]:
    """All paths that an expression reads from the roots; variables of macros are left out."""
    walk = _Walk()
    walk.visit(tree, known, optional=False)
    return walk.found


class _Walk:
    def __init__(self) -> None:
        self.found: list[Reference] = []
        self.bound: list[str] = []

    def visit(self, node: Node, known: Known, *, optional: bool) -> None:
        """Collect the references below a node, given what is known when it is evaluated."""
        if isinstance(node, syntax.Member | syntax.Index | syntax.Name):
            self._path(node, known, optional=optional)
        elif isinstance(node, syntax.Has):
            self.visit(node.target, known, optional=True)
        elif isinstance(node, syntax.Default):
            self.visit(node.target, known, optional=True)
            self.visit(node.fallback, known, optional=optional)
        elif isinstance(node, syntax.Logic):
            self._logic(node, known, optional=optional)
        elif isinstance(node, syntax.Choice):
            self.visit(node.condition, known, optional=optional)
            self.visit(node.then, known | facts(node.condition, True), optional=optional)
            self.visit(node.other, known | facts(node.condition, False), optional=optional)
        elif isinstance(node, syntax.Macro):
            self._macro(node, known, optional=optional)
        else:
            for child in syntax.children(node):
                self.visit(child, known, optional=optional)

    def _logic(self, node: syntax.Logic, known: Known, *, optional: bool) -> None:
        passed = node.operator == "&&"
        for term in node.terms:
            self.visit(term, known, optional=optional)
            known = known | facts(term, passed)

    def _macro(self, node: syntax.Macro, known: Known, *, optional: bool) -> None:
        self.visit(node.source, known, optional=optional)
        self.bound.append(node.variable)
        for part in (node.keep, node.step):
            if part is not None:
                self.visit(part, known, optional=optional)
        self.bound.pop()

    def _path(
        self, node: syntax.Member | syntax.Index | syntax.Name, known: Known, *, optional: bool
    ) -> None:
        base: Node = node
        names: list[str | None] = []
        while isinstance(base, syntax.Member | syntax.Index):
            if isinstance(base, syntax.Member):
                names.append(base.name)
            else:
                names.append(_constant_key(base))
                self.visit(base.key, known, optional=optional)
            base = base.target
        if not isinstance(base, syntax.Name):
            self.visit(base, known, optional=optional)
        elif base.name not in self.bound:
            steps = (base.name, *_written(list(reversed(names))))
            self.found.append(Reference(steps, node.span, known, optional))


def _constant_key(node: syntax.Index) -> str | None:
    key = node.key
    return key.value if isinstance(key, syntax.Literal) and isinstance(key.value, str) else None


def _written(names: Sequence[str | None]) -> Steps:
    """The names up to the first that only the run can tell."""
    found: list[str] = []
    for name in names:
        if name is None:
            break
        found.append(name)
    return tuple(found)


def static_path(node: Node) -> Steps | None:
    """The path of a node, when all of it is written out."""
    names: list[str] = []
    while isinstance(node, syntax.Member | syntax.Index):
        name = node.name if isinstance(node, syntax.Member) else _constant_key(node)
        if name is None:
            return None
        names.append(name)
        node = node.target
    return (node.name, *reversed(names)) if isinstance(node, syntax.Name) else None


def facts(node: Node, outcome: bool) -> Known:
    """Paths that exist whenever a condition has this outcome."""
    if isinstance(node, syntax.Unary) and node.operator == "!":
        return facts(node.operand, not outcome)
    if isinstance(node, syntax.Has):
        steps = static_path(node.target)
        if steps is None:
            return NOTHING
        return frozenset({steps if outcome else (ABSENT, *steps)})
    if isinstance(node, syntax.Logic):
        found = [facts(term, outcome) for term in node.terms]
        every = (node.operator == "&&") is outcome
        return NOTHING.union(*found) if every else found[0].intersection(*found[1:])
    if isinstance(node, syntax.Chain):
        return _state_facts(node, outcome)
    return NOTHING


#: What a node in that state has.
_HAS = {"succeeded": "output", "failed": "error"}


def _state_facts(node: syntax.Chain, outcome: bool) -> Known:
    """``nodes.x.state == 'succeeded'`` says that ``nodes.x.output`` exists."""
    if len(node.rest) != 1 or node.rest[0][0] != ("==" if outcome else "!="):
        return NOTHING
    steps, literal = static_path(node.first), node.rest[0][1]
    if steps is None or len(steps) != 3 or steps[0] != "nodes" or steps[2] != "state":
        return NOTHING
    member = _HAS.get(literal.value) if isinstance(literal, syntax.Literal) else None
    return frozenset({(*steps[:2], member)}) if member else NOTHING
