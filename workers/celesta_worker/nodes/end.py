"""``end``: the compiled last node of every workflow; what it outputs is the run's output."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from celesta.runs.outcomes import Outcome, Succeeded
from celesta_worker.context import NodeContext
from celesta_worker.nodes.base import NodeConfig, NodeTypeBase


class EndConfig(NodeConfig):
    """What an ``end`` node is told. Authors write it as the document's ``output``."""

    output: Any = Field(
        default=None,
        title="Output",
        description="Any value; expressions inside it are evaluated. It becomes the run's output.",
    )


class EndNode(NodeTypeBase[EndConfig]):
    """Made by the compiler, never written by an author."""

    name = "end"
    title = "End"
    summary = "Ends the run and evaluates the workflow's output."
    Config = EndConfig

    def run(self, config: EndConfig, context: NodeContext) -> Outcome:
        """Succeed with the resolved output."""
        return self.foretell(config)

    def foretell(self, config: EndConfig) -> Outcome:
        """The same: nothing but the config matters."""
        return Succeeded(config.output)
