"""Every refusal of publishing; the docstring is the sentence a caller reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from celesta.graph.problems import Problem


class WorkflowError(Exception):
    """The workflow could not be changed."""

    code: ClassVar[str] = "workflow_error"
    status: ClassVar[int] = 400

    def __init__(self, detail: str = "", problems: Sequence[Problem] = ()) -> None:
        self.problems = list(problems)
        self.detail = detail or (self.__doc__ or "").strip()
        super().__init__(self.detail)


class WorkflowExists(WorkflowError):
    """A workflow of this name exists; publish a new version of it instead."""

    code = "workflow_exists"
    status = 409


class WorkflowUnknown(WorkflowError):
    """There is no workflow of this name; publish it first."""

    code = "workflow_unknown"
    status = 404


class WorkflowNameMismatch(WorkflowError):
    """The document names another workflow than the address does."""

    code = "workflow_name_mismatch"


class WorkflowScheduled(WorkflowError):
    """Schedules belong to this workflow, which is nothing but a draft; delete them first."""

    code = "workflow_scheduled"
    status = 409


class NoteInvalid(WorkflowError):
    """The note of a publication has at most 500 characters, and no NUL among them."""

    code = "invalid_note"


class TemplateUnknown(WorkflowError):
    """There is no template of this name."""

    code = "template_unknown"
    status = 404


class ArchiveInvalid(WorkflowError):
    """The archive cannot be imported."""

    code = "invalid_archive"

    def __init__(self, problems: Sequence[Problem], *, status: int = 400) -> None:
        first = problems[0]
        place = f"{first.path}: " if first.path else ""
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{place}{first.message}{more}", problems)
        self.status = status  # type: ignore[misc]  # of this one error
