"""The compiled form of a workflow: what the engine executes, frozen and numbered.

A :class:`Plan` is made by the compiler, stored with the version, and never changes. Nodes and gates
are addressed by their index, so that rows, messages and functions in the database stay narrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Rule = Literal[
    "all_success", "none_failed", "all_done", "any_success", "any_failed", "none_skipped"
]

#: Index used where a node has no gate (it is a root) or belongs to no map.
NONE = -1


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how long to wait. Times are in seconds; ``attempts`` counts the first try."""

    attempts: int = 1
    backoff: float = 1.0
    factor: float = 2.0
    max: float = 60.0
    jitter: bool = True


@dataclass(frozen=True, slots=True)
class PlanNode:
    """One node, as the engine sees it. All times are in seconds."""

    index: int
    name: str
    type: str
    title: str = ""
    #: The author's ``with`` block, templates unresolved, defaults filled in.
    config: Mapping[str, Any] = field(default_factory=dict)
    when: str | None = None
    queue: str = "default"
    priority: int = 5
    retry: Retry = field(default_factory=Retry)
    timeout: float | None = None
    #: Gate that releases this node; NONE for a root (released by the start) and for a map's body.
    gate: int = NONE
    #: Gates that count this node's end.
    feeds: tuple[int, ...] = ()
    #: Indexes of the nodes whose output or error its expressions read.
    refs: tuple[int, ...] = ()
    uses_params: bool = False
    uses_vars: bool = False
    #: True when its expressions read ``run.started_at``.
    uses_start: bool = False
    #: True when a failure of this node is accepted by some child, so that it does not fail the run.
    handled: bool = False
    #: True when its gate is ``any_success`` and no child accepts its failure: if it ends
    #: upstream_failed, all its alternatives have failed, and so has the run.
    last_resort: bool = False
    #: True when no code has to run: the database ends the node itself (an ``end`` without output).
    auto: bool = False
    #: For a ``map``: index of its body. NONE otherwise.
    body: int = NONE
    #: For a map's body: index of the map it belongs to. NONE otherwise.
    body_of: int = NONE
    #: For a compensation: index of the node that it undoes. NONE otherwise.
    compensates: int = NONE


@dataclass(frozen=True, slots=True)
class Gate:
    """A counter shared by all nodes that wait for the same upstreams under the same rule."""

    index: int
    rule: Rule
    upstreams: tuple[int, ...]
    nodes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole workflow, ready to run. ``nodes[-1]`` is always the compiled ``end`` node."""

    workflow: str
    nodes: tuple[PlanNode, ...]
    gates: tuple[Gate, ...]
    params_schema: Mapping[str, Any] = field(default_factory=dict)
    #: Deadline of a whole run in seconds, or None.
    timeout: float | None = None
    #: Format of the stored form; readers refuse a newer one.
    protocol: int = 1

    @property
    def end(self) -> PlanNode:
        """The node whose end is the end of the run."""
        return self.nodes[-1]

    def by_name(self) -> dict[str, PlanNode]:
        """Nodes by the author's name (a map's body is ``<map>.do``)."""
        return {node.name: node for node in self.nodes}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON for storage; :meth:`from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Rebuild a plan from :meth:`to_json`'s form."""
        nodes = tuple(
            PlanNode(
                **{
                    **node,
                    "retry": Retry(**node["retry"]),
                    "feeds": tuple(node["feeds"]),
                    "refs": tuple(node["refs"]),
                }
            )
            for node in data["nodes"]
        )
        gates = tuple(
            Gate(gate["index"], gate["rule"], tuple(gate["upstreams"]), tuple(gate["nodes"]))
            for gate in data["gates"]
        )
        return cls(
            workflow=data["workflow"],
            nodes=nodes,
            gates=gates,
            params_schema=data["params_schema"],
            timeout=data["timeout"],
            protocol=data["protocol"],
        )
