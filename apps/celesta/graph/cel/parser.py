"""Reads the text of an expression into a tree, within fixed limits."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from typing import TypeVar

from celesta.graph.cel import syntax
from celesta.graph.cel.functions import FUNCTIONS
from celesta.graph.cel.lexer import Token, tokens
from celesta.graph.cel.syntax import CelSyntaxError, Node, Span

#: Limits of one expression: characters, nesting of brackets, depth of the tree, macros in macros.
#: They keep recursion here and in the evaluator far from Python's limit.
MAX_LENGTH = 4_000
MAX_DEPTH = 32
MAX_TREE = 120
MAX_MACROS = 3

INT_MAX = 2**63 - 1
MACROS = frozenset({"all", "exists", "exists_one", "map", "filter"})
#: Binary operators by precedence: a higher number binds closer.
PRECEDENCE = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys("*/%", 5),
}
#: What may stand before a value, and what leads from a value to a part of it.
_SIGNS = frozenset("!-")
_STEPS = frozenset(".[")
RESERVED = frozenset(
    {"as", "break", "const", "continue", "else", "for", "function", "if", "import", "in", "let"}
    | {"loop", "namespace", "package", "return", "var", "void", "while"}
)

T = TypeVar("T")


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """The tree of an expression; raises CelSyntaxError, whose ``at`` is an offset into ``text``."""
    if len(text) > MAX_LENGTH:
        raise CelSyntaxError(
            f"the expression has {len(text)} characters; the limit is {MAX_LENGTH}", MAX_LENGTH
        )
    parser = _Parser(tokens(text))
    tree = parser.expression()
    parser.expect_end()
    # A level of the tree takes at least one character.
    if len(text) > MAX_TREE and syntax.depth(tree) > MAX_TREE:
        raise CelSyntaxError(f"more than {MAX_TREE} operations within each other", 0)
    return tree


class _Parser:
    """Recursive descent, with precedence climbing for the binary operators."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._next = found[0]
        self._depth = 0
        self._macros = 0

    # --- tokens ---

    def _take(self) -> Token:
        token = self._next
        if token.kind != "end":
            self._at += 1
            self._next = self._tokens[self._at]
        return token

    def _sees(self, mark: str) -> bool:
        return self._next.text == mark  # no other token is spelt like a mark

    def _accept(self, mark: str) -> bool:
        if self._next.text != mark:
            return False
        self._take()
        return True

    def _expect(self, mark: str) -> Token:
        if not self._sees(mark):
            raise self._surprise(f"expected {mark!r}")
        return self._take()

    def _surprise(self, expected: str) -> CelSyntaxError:
        token = self._next
        got = repr(token.text) if token.text else "the end"
        return CelSyntaxError(f"{expected}, got {got}", token.start)

    def expect_end(self) -> None:
        """Refuse what is left over."""
        if self._next.kind != "end":
            raise self._surprise("expected an operator or the end")

    def _span(self, start: int) -> Span:
        return Span(start, self._tokens[self._at - 1].end)

    # --- grammar ---

    def expression(self) -> Node:
        """``a ? b : c`` and all that binds closer."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CelSyntaxError(f"nested deeper than {MAX_DEPTH} levels", self._next.start)
        start = self._next.start
        tree = self._binary(1)
        if self._accept("?"):
            then = self.expression()
            self._expect(":")
            tree = syntax.Choice(tree, then, self.expression(), self._span(start))
        self._depth -= 1
        return tree

    def _binary(self, least: int) -> Node:
        start = self._next.start
        left = self._unary()
        while (closeness := PRECEDENCE.get(self._next.text, 0)) >= least:
            operator = self._take().text
            right = self._binary(closeness + 1)
            left = _joined(left, operator, right, self._span(start))
        return left

    def _unary(self) -> Node:
        start = self._next.start
        operators: list[Token] = []
        while self._next.text in _SIGNS:
            operators.append(self._take())
        tree = self._postfix()
        for token in reversed(operators):
            tree = _signed(token.text, tree, self._span(token.start))
        if isinstance(tree, syntax.Literal) and tree.value == INT_MAX + 1:
            raise CelSyntaxError("a whole number has at most 64 bits", start)
        return tree

    def _postfix(self) -> Node:
        start = self._next.start
        tree = self._primary()
        while (mark := self._next.text) in _STEPS:
            self._take()
            if mark == ".":
                tree = self._member(tree, start)
            else:
                key = self.expression()
                self._expect("]")
                tree = syntax.Index(tree, key, self._span(start))
        return tree

    def _member(self, target: Node, start: int) -> Node:
        if self._sees("?"):
            raise CelSyntaxError("write default(path, value) instead of .?", self._next.start)
        token = self._next
        if not (token.text[:1].isalpha() or token.text[:1] == "_"):
            raise self._surprise("expected a name after the dot")
        self._take()
        if not self._sees("("):
            return syntax.Member(target, token.text, self._span(start))
        if token.text in MACROS:
            return self._macro(token, target, start)
        args = self._arguments()
        if isinstance(target, syntax.Name) and target.name == "math":
            return _call(f"math.{token.text}", args, self._span(start))
        return _call(token.text, (target, *args), self._span(start))

    def _macro(self, token: Token, source: Node, start: int) -> Node:
        self._macros += 1
        if self._macros > MAX_MACROS:
            message = f"more than {MAX_MACROS} of map, filter, all, exists within each other"
            raise CelSyntaxError(message, token.start)
        args = self._arguments()
        self._macros -= 1
        if len(args) != 2 and not (token.text == "map" and len(args) == 3):
            raise CelSyntaxError(f"{token.text} takes a variable and an expression", token.start)
        variable = args[0]
        if not isinstance(variable, syntax.Name):
            message = f"the first argument of {token.text} is the name of a variable"
            raise CelSyntaxError(message, token.start)
        keep = args[1] if len(args) == 3 else None
        return syntax.Macro(token.text, source, variable.name, args[-1], keep, self._span(start))

    def _arguments(self) -> tuple[Node, ...]:
        self._expect("(")
        return self._listed(")", self.expression)

    def _listed(self, close: str, read: Callable[[], T]) -> tuple[T, ...]:
        """What stands between commas up to ``close``; a comma before it is allowed."""
        found: list[T] = []
        while not self._accept(close):
            if found:
                self._expect(",")
                if self._accept(close):
                    break
            found.append(read())
        return tuple(found)

    def _entry(self) -> tuple[Node, Node]:
        key = self.expression()
        self._expect(":")
        return key, self.expression()

    def _primary(self) -> Node:
        token = self._next
        if token.kind == "value":
            self._take()
            return syntax.Literal(token.value, token.span)
        if token.kind == "name":
            self._take()
            return self._named(token)
        if self._accept("("):
            tree = self.expression()
            self._expect(")")
            return tree
        if self._accept("["):
            items = self._listed("]", self.expression)
            return syntax.ListOf(items, self._span(token.start))
        if self._accept("{"):
            entries = self._listed("}", self._entry)
            return syntax.MapOf(entries, self._span(token.start))
        raise self._surprise("expected a value")

    def _named(self, token: Token) -> Node:
        if token.text in RESERVED:
            raise CelSyntaxError(f"{token.text!r} is a reserved word", token.start)
        if not self._sees("("):
            return syntax.Name(token.text, token.span)
        args = self._arguments()
        span = self._span(token.start)
        if token.text == "has":
            return _has(args, span)
        if token.text == "default":
            return _default(args, span)
        return _call(token.text, args, span)


def _signed(operator: str, operand: Node, span: Span) -> Node:
    """A minus before a number is part of the number; -9223372036854775808 has no positive twin."""
    number = isinstance(operand, syntax.Literal) and type(operand.value) in {int, float}
    if operator == "-" and isinstance(operand, syntax.Literal) and number:
        return syntax.Literal(-operand.value, span)
    return syntax.Unary(operator, operand, span)


def _joined(left: Node, operator: str, right: Node, span: Span) -> Node:
    """Operators of one precedence in a row become one flat node, so that depth stays small."""
    if operator in {"&&", "||"}:
        if isinstance(left, syntax.Logic) and left.operator == operator:
            return syntax.Logic(operator, (*left.terms, right), span)
        return syntax.Logic(operator, (left, right), span)
    if isinstance(left, syntax.Chain) and PRECEDENCE[left.rest[0][0]] == PRECEDENCE[operator]:
        return syntax.Chain(left.first, (*left.rest, (operator, right)), span)
    return syntax.Chain(left, ((operator, right),), span)


def _call(function: str, args: tuple[Node, ...], span: Span) -> Node:
    known = FUNCTIONS.get(function)
    if known is None:
        close = get_close_matches(function, FUNCTIONS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise CelSyntaxError(f"there is no function {function!r}{hint}", span.start)
    _, least, most = known
    if not least <= len(args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        message = (
            f"{function}() takes {wanted} values (what it is called on counts), got {len(args)}"
        )
        raise CelSyntaxError(message, span.start)
    return syntax.Call(function, args, span)


def _has(args: tuple[Node, ...], span: Span) -> Node:
    if len(args) != 1 or not isinstance(args[0], syntax.Member | syntax.Index):
        raise CelSyntaxError("has() takes one path, as in has(params.name)", span.start)
    return syntax.Has(args[0], span)


def _default(args: tuple[Node, ...], span: Span) -> Node:
    if len(args) != 2 or not isinstance(args[0], syntax.Member | syntax.Index):
        message = "default() takes a path and a value, as in default(params.name, 'nobody')"
        raise CelSyntaxError(message, span.start)
    return syntax.Default(args[0], args[1], span)
