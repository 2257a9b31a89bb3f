"""``celery``: run a Celery task of the team's own, unchanged."""

from __future__ import annotations

from typing import Any, Literal

import celery
from pydantic import Field

from celesta.runs.outcomes import Foreign, Outcome
from celesta_worker.context import NodeContext
from celesta_worker.inplace import run_in_place
from celesta_worker.nodes.base import NodeConfig, NodeTypeBase
from celesta_worker.nodes.checks import fresh
from celesta_worker.nodes.fields import Duration

#: Seconds that a task on another worker may take when neither `with` nor the node says.
DEFAULT_TIMEOUT = 3600.0


class CeleryConfig(NodeConfig):
    """What a ``celery`` node is told."""

    task: str = Field(
        title="Task",
        min_length=1,
        description="Name of the task, such as payments.tasks.charge.",
    )
    args: list[Any] = Field(
        default_factory=list, title="Arguments", description="Positional arguments."
    )
    kwargs: dict[str, Any] = Field(
        default_factory=dict, title="Keyword arguments", description="Arguments by name."
    )
    in_place: Literal["auto", "never"] = Field(
        default="auto",
        title="In place",
        description="auto: run inside the node when its worker has the task registered, else send "
        "it. never: always send it to a queue of Celery's own.",
    )
    queue: str | None = Field(
        default=None,
        title="Queue when sent",
        description="Queue for a task that is sent. Without it Celery's task routes decide.",
    )
    timeout: Duration | None = Field(
        default=None,
        title="Timeout when sent",
        description="How long a sent task may take before it is taken for lost and sent again. "
        "Without it: the node's timeout, else one hour.",
    )


class CeleryNode(NodeTypeBase[CeleryConfig]):
    """Runs in place when it can: no message, no waiting, the same semantics."""

    name = "celery"
    title = "Celery task"
    summary = "Runs a Celery task, in place when its worker has it, else sent by name."
    Config = CeleryConfig
    literal = frozenset({"task"})

    def run(self, config: CeleryConfig, context: NodeContext) -> Outcome:
        """Run the task through Celery's tracer, or ask the engine to send it."""
        app = celery.current_app
        timeout = config.timeout or context.timeout or DEFAULT_TIMEOUT
        sent = Foreign(
            config.task, tuple(config.args), config.kwargs, queue=config.queue, timeout=timeout
        )
        if config.in_place == "never" or config.task not in app.tasks:
            return sent
        return run_in_place(app, sent, fresh(config.args), fresh(config.kwargs), context)
