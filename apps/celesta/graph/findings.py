"""Collects problems while a document is read, and places them in the text it came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from typing import Final, Protocol

from celesta.graph import paths
from celesta.graph.paths import Path
from celesta.graph.problems import Problem, Severity


class Placing(Protocol):
    """Knows where in a text a path of the document is."""

    def find(self, path: str | Path) -> tuple[int, int] | None:
        """Line and column (from 1) of a path, of its nearest parent when it is missing."""
        ...

    def within(self, path: str | Path, fragment: str, offset: int) -> tuple[int, int] | None:
        """Line and column of a character inside a fragment of the scalar at that path."""
        ...


#: Problems of one document that are told: one for each node of the largest, and more help nobody.
MAX_PROBLEMS: Final = 20_000


class Findings:
    """All problems of one document, in the order they were found."""

    def __init__(self, positions: Placing | None = None) -> None:
        self.problems: list[Problem] = []
        self._positions = positions
        self._full = False

    def error(
        self,
        code: str,
        path: Path,
        message: str,
        hint: str = "",
        *,
        fragment: tuple[str, int] | None = None,
        severity: Severity = "error",
    ) -> None:
        """Add a problem; ``fragment`` is (text of an expression, offset of the fault in it)."""
        problem = Problem(code, paths.render(path), message, hint, severity)
        self._add(problem, path, fragment)

    def warning(self, code: str, path: Path, message: str, hint: str = "") -> None:
        """Add a problem that does not keep the document from being published."""
        self.error(code, path, message, hint, severity="warning")

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add the problems that a node type found."""
        for problem in problems:
            self._add(problem, problem.path, None)

    def _add(self, problem: Problem, path: str | Path, fragment: tuple[str, int] | None) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(self._placed(problem, path, fragment))
        elif problem.severity == "error" and not self._full:
            # What is left out must not let a faulty document pass.
            self._full = True
            message = f"There are more than {MAX_PROBLEMS:,} problems."
            self.problems.append(Problem("too_many_problems", "", message, "Correct these first."))

    @property
    def failed(self) -> bool:
        """True when at least one error (not only warnings) was found."""
        return any(problem.severity == "error" for problem in self.problems)

    def _placed(
        self, problem: Problem, path: str | Path, fragment: tuple[str, int] | None
    ) -> Problem:
        if self._positions is None:
            return problem
        found = self._positions.within(path, *fragment) if fragment else None
        found = found or self._positions.find(path)
        return problem.at(*found) if found else problem


#: Names that are compared for the suggestions of one document, about a second's worth. Twenty
#: thousand nodes that each need a name which is not there would take an hour otherwise.
MAX_COMPARISONS: Final = 100_000
_comparisons: ContextVar[list[int] | None] = ContextVar("celesta_comparisons", default=None)


@contextmanager
def bounded_suggestions() -> Iterator[None]:
    """Within it, suggestions end after MAX_COMPARISONS; problems are still told, without them."""
    token = _comparisons.set([MAX_COMPARISONS])
    try:
        yield
    finally:
        _comparisons.reset(token)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the closest known word, or lists the known ones."""
    names = list(known)
    close = get_close_matches(word, names, n=1) if _may_compare(len(names)) else []
    if close:
        return f"Did you mean {close[0]!r}?"
    if 0 < len(names) <= 20:
        return f"Known here: {', '.join(sorted(names))}."
    return ""


def _may_compare(count: int) -> bool:
    left = _comparisons.get()
    if left is None:
        return True
    left[0] -= count
    return left[0] >= 0
