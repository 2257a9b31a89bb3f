"""Every refusal of the engine: the docstring is the sentence a caller reads."""

from __future__ import annotations

from typing import Any, ClassVar

from celesta.graph.problems import Problem


class EngineError(Exception):
    """The engine refused."""

    code: ClassVar[str] = "engine_error"
    status: ClassVar[int] = 400

    def __init__(self, detail: str = "", *, problems: list[Problem] | None = None, **extra: Any):
        self.detail = detail or (self.__doc__ or "").strip()
        self.problems = problems or []
        self.extra = extra
        super().__init__(self.detail)


class ParamsInvalid(EngineError):
    """The params do not fit the workflow's schema."""

    code = "invalid_params"


class WorkflowInactive(EngineError):
    """The workflow is not active; activate it to start runs."""

    code = "workflow_inactive"
    status = 409


class NotPublished(EngineError):
    """The workflow has no published version yet; publish one to start runs."""

    code = "not_published"
    status = 409


class IdempotencyConflict(EngineError):
    """The idempotency key was used before with another workflow or other params."""

    code = "idempotency_conflict"
    status = 409


class RunNotFound(EngineError):
    """There is no such run."""

    code = "run_not_found"
    status = 404


class RunAlreadyFinished(EngineError):
    """The run has reached a final state and cannot change."""

    code = "run_already_finished"
    status = 409


class RunBeingCancelled(EngineError):
    """The run is being cancelled; it cannot be paused or resumed any more."""

    code = "run_cancelling"
    status = 409


class RunNotFinished(EngineError):
    """The run has not ended: wait for its end or cancel it, or run all of it again."""

    code = "run_not_finished"
    status = 409


class NothingToRerun(EngineError):
    """Nothing in this run failed: choose the node to begin at, or run all of it again."""

    code = "nothing_to_rerun"
    status = 409


class RerunInvalid(EngineError):
    """The run cannot be begun like that; see 'errors'."""

    code = "invalid_rerun"


class NodeNotFound(EngineError):
    """There is no such node in this run."""

    code = "node_not_found"
    status = 404


class NodeNotSkippable(EngineError):
    """Only a node that is ready or waits can be skipped."""

    code = "node_not_skippable"
    status = 409


class DeadLetterDecided(EngineError):
    """The dead letter has been retried or discarded already."""

    code = "dead_letter_decided"
    status = 409


class DatabaseUnavailable(EngineError):
    """The database cannot be reached; nothing was started or changed. Try again."""

    code = "database_unavailable"
    status = 503
