"""What a node's code may answer. Outcomes are values: nothing is raised to steer a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The node is done; ``output`` is any JSON value."""

    output: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The node failed. ``retryable`` says whether the node's retry policy may try again."""

    message: str
    code: str = "node_failed"
    retryable: bool = True
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Try again after ``delay`` seconds (counts as an attempt of the retry policy)."""

    delay: float
    message: str = "the node asked to be tried again later"
    #: True when the node's code counts its attempts itself (a Celery task's ``max_retries``) and
    #: has not used them up: the retry policy then neither counts nor ends them.
    own_limit: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """Hold no slot until the time has come, then succeed with ``output``."""

    seconds: float | None = None
    until: datetime | None = None
    output: Any = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """A Celery task of another worker does the work; its callbacks complete the node.

    ``timeout`` is in seconds and mandatory: a lost foreign task cannot be told from a slow one.
    """

    task: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    queue: str | None = None
    timeout: float = 3600.0


@dataclass(frozen=True, slots=True)
class Expand:
    """Run the map's body once for each item; the node waits for them without a slot."""

    items: list[Any]
    max_parallel: int | None = None
    #: Number of items that may fail before the map fails.
    tolerate: int = 0


@dataclass(frozen=True, slots=True)
class Skipped:
    """The node decided (or its condition decided) that there is nothing to do."""

    reason: str = ""


Outcome = Succeeded | Failed | RetryLater | Wait | Foreign | Expand | Skipped
