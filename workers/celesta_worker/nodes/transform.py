"""``transform``: build a value out of what is already known."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from celesta.runs.outcomes import Outcome, Succeeded
from celesta_worker.context import NodeContext
from celesta_worker.nodes.base import NodeConfig, NodeTypeBase


class TransformConfig(NodeConfig):
    """What a ``transform`` node is told."""

    output: Any = Field(
        title="Output",
        description="Any value; expressions inside it are evaluated. It becomes the node's output.",
    )


class TransformNode(NodeTypeBase[TransformConfig]):
    """The templates were resolved before the node ran, so there is nothing left to do."""

    name = "transform"
    title = "Transform"
    summary = "Builds a value from params, variables and the outputs of earlier nodes."
    Config = TransformConfig

    def run(self, config: TransformConfig, context: NodeContext) -> Outcome:
        """Succeed with the resolved value."""
        return self.foretell(config)

    def foretell(self, config: TransformConfig) -> Outcome:
        """The same: nothing but the config matters."""
        return Succeeded(config.output)
