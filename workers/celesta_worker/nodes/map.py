"""``map``: run one body for each item of a list."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from celesta import conf
from celesta.runs.outcomes import Expand, Failed, Outcome
from celesta_worker.context import NodeContext
from celesta_worker.nodes.base import NodeConfig, NodeTypeBase


class MapConfig(NodeConfig):
    """What a ``map`` node is told."""

    over: Any = Field(
        title="Over",
        description="The list to go through, or a mapping, whose items are {key, value}.",
    )
    max_parallel: int | None = Field(
        default=None,
        ge=1,
        title="At once",
        description="How many items may run at the same time. Without it: as many as workers take.",
    )
    tolerate: int = Field(
        default=0,
        ge=0,
        title="Failures tolerated",
        description="How many items may fail before the map fails.",
    )
    do: dict[str, Any] = Field(
        title="Do",
        description="The node to run for each item: its type, with, and how it runs. "
        "Its expressions see item and index.",
    )


class MapNode(NodeTypeBase[MapConfig]):
    """Only says what the items are: the engine opens a scope for each and runs the body in it."""

    name = "map"
    title = "Map"
    summary = "Runs a node once for each item of a list and collects the results in order."
    Config = MapConfig
    waits = True
    unresolved = frozenset({"do"})

    def run(self, config: MapConfig, context: NodeContext) -> Outcome:
        """Expand into the items of ``over``."""
        return self.foretell(config)

    def foretell(self, config: MapConfig) -> Outcome:
        """The same: nothing but the config matters."""
        items = _items(config.over)
        if items is None:
            return Failed(
                f"`over` gave {type(config.over).__name__}, not a list or a mapping",
                code="not_a_list",
                retryable=False,
                details={"path": "with.over"},
            )
        limit = conf.get("MAX_MAP_ITEMS")
        if len(items) > limit:
            return Failed(
                f"`over` has {len(items):,} items and {limit:,} are allowed; map over pages of "
                "them, or raise CELESTA['MAX_MAP_ITEMS']",
                code="too_many_items",
                retryable=False,
                details={"items": len(items), "limit": limit},
            )
        return Expand(items, max_parallel=config.max_parallel, tolerate=config.tolerate)


def _items(over: Any) -> list[Any] | None:
    if isinstance(over, list):
        return over
    if isinstance(over, dict):
        return [{"key": key, "value": value} for key, value in over.items()]
    return None
