"""What a node's code gets to know of the run it belongs to."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from celesta_worker.log_lines import AttemptLines

logger = logging.getLogger("celesta.node")


class ArtifactStore(Protocol):
    """Where a node keeps the files it makes. The runner gives one that is bound to the node."""

    def save(
        self, name: str, content: bytes | str | Path, content_type: str | None = None
    ) -> Mapping[str, Any]:
        """Keep a file and return a JSON reference to it, fit for the node's output.

        ``content`` is the bytes themselves, a text (kept as UTF-8) or the path of a file to copy.
        Without ``content_type`` it is guessed from the name.
        """
        ...


class ArtifactsUnavailable(RuntimeError):
    """No artifact store was given to this node."""


class NoArtifacts:
    """Refuses to keep files: for nodes run outside a worker (in tests and in checks)."""

    def save(
        self,
        name: str,
        content: bytes | str | Path,
        content_type: str | None = None,
    ) -> Mapping[str, Any]:
        """Raise :class:`ArtifactsUnavailable`."""
        raise ArtifactsUnavailable(
            f"cannot save {name!r}: this node runs without an artifact store"
        )


class NodeLogger(logging.LoggerAdapter[logging.Logger]):
    """Puts the run and the node into every record, as fields and in front of the text."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Add our fields to those the caller gave."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return f"[{self.extra['run_id']} {self.extra['node']}] {msg}" if self.extra else msg, kwargs


@dataclass(slots=True)
class NodeContext:
    """One attempt of one node run. Node types and node functions read it and never write it."""

    run_id: str
    workflow: str
    version: int
    node: str
    #: From 1; a node that lost its worker counts on.
    attempt: int = 1
    #: How many of the earlier attempts were lost with their worker, and so did not fail.
    losses: int = 0
    #: The same for every attempt of this node run: hand it to services that can deduplicate.
    idempotency_key: str = ""
    #: What expressions see: params, nodes, vars, run and, inside a map, item and index.
    scope: Mapping[str, Any] = field(default_factory=dict)
    #: Seconds this attempt may take, or None.
    timeout: float | None = None
    artifacts: ArtifactStore = field(default_factory=NoArtifacts)
    #: What the body has logged and printed; made with the first line.
    lines: AttemptLines | None = field(default=None, repr=False)
    _logger: NodeLogger | None = field(default=None, repr=False)

    LOGGER: ClassVar[logging.Logger] = logger

    @property
    def logger(self) -> NodeLogger:
        """A standard logger whose records carry run_id, workflow, node and attempt."""
        if self._logger is None:  # made on demand: most nodes never log
            self._logger = NodeLogger(
                self.LOGGER,
                {
                    "run_id": self.run_id,
                    "workflow": self.workflow,
                    "node": self.node,
                    "attempt": self.attempt,
                },
            )
        return self._logger
