"""What is wrong with a document: the one shape in which every door reports it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a document.

    ``code`` is stable (programs may match on it), ``path`` leads into the document
    (``nodes.pay.needs[0]``), ``message`` says what is wrong and ``hint`` what to do about it.
    ``line`` and ``column`` (from 1) are set when the document came as text.
    """

    code: str
    path: str
    message: str
    hint: str = ""
    severity: Severity = "error"
    line: int | None = None
    column: int | None = None

    def at(self, line: int | None, column: int | None) -> Problem:
        """The same problem, placed in the text."""
        return replace(self, line=line, column=column)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form used by the API and by stored drafts."""
        return {
            "code": self.code,
            "path": self.path,
            "message": self.message,
            "hint": self.hint,
            "severity": self.severity,
            "line": self.line,
            "column": self.column,
        }


class DocumentInvalid(ValueError):
    """The document has problems and cannot be published."""

    code = "invalid_document"

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        first = problems[0] if problems else None
        place = f"{first.path}: " if first and first.path else ""
        super().__init__(f"{place}{first.message}" if first else self.__doc__)
