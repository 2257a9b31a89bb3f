"""What every node type has in common: a name, a ``Config``, a check and a way to run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from celesta.graph.problems import Problem
from celesta.runs.outcomes import Outcome
from celesta_worker import asyncio_loop
from celesta_worker.context import NodeContext
from celesta_worker.nodes.checks import has_template, validate_config


class NodeConfig(BaseModel):
    """Base of every ``Config``: no unknown fields; never changed, since runs share it."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


C = TypeVar("C", bound=BaseModel)


class NodeTypeBase(Generic[C]):
    """Base class of node types. A subclass gives ``run`` or, for I/O that can await, ``arun``.

    Raise nothing to steer a run: answer with an outcome. What is raised all the same becomes a
    retryable ``Failed``.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    #: One sentence for the palette and the docs.
    summary: ClassVar[str]
    Config: ClassVar[type[BaseModel]]
    #: True when a node of this type waits without a slot: default timeouts do not apply to it.
    waits: ClassVar[bool] = False
    #: Top-level fields that stay as the author wrote them: they hold templates of another scope.
    unresolved: ClassVar[frozenset[str]] = frozenset()
    #: Top-level fields that must hold no template: what they name is checked at publish.
    literal: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.run is NodeTypeBase.run and cls.arun is NodeTypeBase.arun:
            raise TypeError(f"{cls.__name__} must define run() or arun()")

    def check(self, config: Mapping[str, Any], path: str) -> list[Problem]:
        """All problems of a ``with`` block, templates unresolved. ``path`` leads to the block."""
        problems = validate_config(self.Config, config, path)
        problems += [
            Problem(
                "template_not_allowed",
                f"{path}.{name}",
                f"The field {name!r} must be written out: a template cannot be checked here.",
                "Write the value itself, or choose between nodes with `when`.",
            )
            for name in sorted(self.literal)
            if has_template(config.get(name))
        ]
        if not problems:  # the rest may rely on the shape of the config
            problems += self.check_meaning(config, path)
        return problems

    def check_meaning(
        self,
        config: Mapping[str, Any],
        path: str,
    ) -> Iterable[Problem]:
        """Problems that the schema cannot express. Called only with a config of the right shape."""
        return ()

    def foretell(self, config: C) -> Outcome | None:
        """What a node with this config will answer, when that follows from the config alone.

        Dry runs ask; without side effects. None: it has to be run to know.
        """
        return None

    def is_async(self, config: Mapping[str, Any]) -> bool:
        """Tell whether a node with this (unresolved) config can share a slot with others."""
        return type(self).arun is not NodeTypeBase.arun

    def run(self, config: C, context: NodeContext) -> Outcome:
        """Do the node's work in this thread."""
        return asyncio_loop.wait_for(self.arun(config, context))

    async def arun(self, config: C, context: NodeContext) -> Outcome:
        """Do the node's work on the event loop."""
        return await asyncio.to_thread(self.run, config, context)
