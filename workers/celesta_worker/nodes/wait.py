"""``wait``: let time pass without holding a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import AwareDatetime, Field, model_validator

from celesta.runs.outcomes import Outcome, Wait
from celesta_worker.context import NodeContext
from celesta_worker.nodes.base import NodeConfig, NodeTypeBase
from celesta_worker.nodes.fields import Duration

_WAYS = frozenset({"for", "until"})


class WaitConfig(NodeConfig):
    """What a ``wait`` node is told: one of the two."""

    for_: Duration | None = Field(
        default=None,
        alias="for",
        title="For",
        description="How long to wait: 500ms, 30s, 5m, 2h or 1d.",
    )
    until: AwareDatetime | None = Field(
        default=None,
        title="Until",
        description="A moment with its time zone, such as 2030-01-31T08:00:00+01:00. "
        "A moment in the past does not wait.",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_of_two(cls, data: Any) -> Any:
        # Before the fields are looked at: at publish their values may still be templates.
        if (
            isinstance(data, Mapping)
            and len(_WAYS & {key for key in data if data[key] is not None}) != 1
        ):
            raise ValueError("give either `for` or `until`")
        return data


class WaitNode(NodeTypeBase[WaitConfig]):
    """The engine keeps the timer; it survives restarts of everything."""

    name = "wait"
    title = "Wait"
    summary = "Waits for a while or until a moment, without holding a worker."
    Config = WaitConfig
    waits = True

    def run(self, config: WaitConfig, context: NodeContext) -> Outcome:
        """Ask the engine to wait."""
        return Wait(seconds=config.for_, until=config.until)
