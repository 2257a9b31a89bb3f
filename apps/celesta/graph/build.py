"""From a checked document to the frozen plan: numbers instead of names, gates instead of edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from celesta.graph.gates import ACCEPTS_FAILURE, EARLY_RULES
from celesta.graph.plan import NONE, Gate, Plan, PlanNode, Retry, Rule
from celesta.graph.spec import NodeSpec, Spec, retry_of
from celesta.graph.topology import Topology

END = "end"

GateKey = tuple[frozenset[int], Rule]
LAST: Rule = "all_done"


@dataclass(frozen=True, slots=True)
class Uses:
    """What the expressions of one node read."""

    nodes: frozenset[str] = frozenset()
    params: bool = False
    vars: bool = False
    #: ``run.started_at``: the one member of ``run`` that a message does not tell.
    start: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """A document without errors, with all that the compiler found out about it."""

    spec: Spec
    topology: Topology
    #: Bodies of maps by the name of the map.
    bodies: Mapping[str, NodeSpec] = field(default_factory=dict)
    #: ``with`` blocks with defaults, conditions and uses, by the name of the plan's node.
    configs: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)
    uses: Mapping[str, Uses] = field(default_factory=dict)
    #: Names of types that wait without a slot: default timeouts are not meant for them.
    waiting_types: frozenset[str] = frozenset()


def plan(checked: Checked) -> Plan:
    """The plan: the forward pass in topological order, bodies of maps, compensations, ``end``."""
    names = _names(checked)
    index = {name: i for i, name in enumerate(names)}
    gates = _gates(checked, index[END])
    wiring = _Wiring(checked, index, gates)
    nodes = tuple(_node(name, checked, wiring) for name in names)
    spec = checked.spec
    return Plan(spec.workflow, nodes, tuple(gates), spec.params, spec.timeout)


class _Wiring:
    """What the gates and the expressions mean for single nodes, in numbers."""

    def __init__(self, checked: Checked, index: Mapping[str, int], gates: list[Gate]) -> None:
        self._checked, self._index = checked, index
        self._gate: dict[int, int] = {}
        self._feeds: dict[int, list[int]] = {}
        self._handled: set[int] = set()
        self._resorts: set[int] = set()
        for gate in gates:
            self._gate.update(dict.fromkeys(gate.nodes, gate.index))
            for upstream in gate.upstreams:
                self._feeds.setdefault(upstream, []).append(gate.index)
            # The gate of ``end`` takes everything: if it counted, no failure would fail a run.
            if gate.rule in ACCEPTS_FAILURE and index[END] not in gate.nodes:
                self._handled.update(gate.upstreams)
            if gate.rule == "any_success":
                self._resorts.update(gate.nodes)

    def of(self, name: str) -> dict[str, Any]:
        """The fields of a plan's node that follow from its place in the graph."""
        number = self._index[name]
        used = self._checked.uses.get(name, Uses())
        return {
            "index": number,
            "gate": self._gate.get(number, NONE),
            "feeds": tuple(self._feeds.get(number, ())),
            "handled": number in self._handled,
            "last_resort": number in self._resorts and number not in self._handled,
            "refs": tuple(sorted(self._index[reference] for reference in used.nodes)),
            "uses_params": used.params,
            "uses_vars": used.vars,
            "uses_start": used.start,
            "when": self._checked.conditions.get(name),
            "body": self._index.get(f"{name}.do", NONE),
            "compensates": self._undone(name),
        }

    def _undone(self, name: str) -> int:
        """Index of the node that this one compensates, or NONE."""
        node = self._checked.spec.nodes.get(name)
        return NONE if node is None or node.compensates is None else self._index[node.compensates]


def _names(checked: Checked) -> list[str]:
    undo = [node.name for node in checked.spec.nodes.values() if node.compensates is not None]
    bodies = [body.name for body in checked.bodies.values()]
    return [*checked.topology.order, *bodies, *undo, END]


def _gates(checked: Checked, end: int) -> list[Gate]:
    """One gate for each (set of upstreams, rule), numbered in the order of their first child."""
    children: dict[GateKey, list[int]] = {}
    for i, name in enumerate(checked.topology.order):
        upstreams = checked.topology.upstreams[i]
        if upstreams:
            key = (frozenset(upstreams), checked.spec.nodes[name].join)
            children.setdefault(key, []).append(i)
    last: GateKey = (frozenset(_last_nodes(checked.topology, children)), LAST)
    gates = [*children.items(), (last, [end])]
    return [
        Gate(number, rule, tuple(sorted(upstreams)), tuple(nodes))
        for number, ((upstreams, rule), nodes) in enumerate(gates)
    ]


def _last_nodes(topology: Topology, gates: Mapping[GateKey, list[int]]) -> set[int]:
    """The nodes that ``end`` waits for: those without children, and those an early rule overtakes.

    A gate that opens early lets its children, and all behind them, end while an upstream still
    runs; without the second part a run could end before its nodes have.
    """
    last = set(range(len(topology.order)))
    for upstreams, rule in gates:
        if rule not in EARLY_RULES:
            last -= upstreams
    return last


def _node(name: str, checked: Checked, wiring: _Wiring) -> PlanNode:
    numbers = wiring.of(name)
    if name == END:
        return _end(checked, numbers)
    owner = checked.spec.nodes[name.removesuffix(".do")]
    body = checked.bodies.get(owner.name)
    if body is None:
        retry = retry_of(checked.spec.defaults.retry, owner.retry)
        return _settled(owner, owner.timeout, retry, checked, numbers)
    if name == body.name:
        return _body(body, owner, checked, numbers)
    # A map is not retried as a whole: its items are, each by itself.
    return _settled(owner, owner.timeout, Retry(), checked, numbers)


def _settled(
    node: NodeSpec, timeout: float | None, retry: Retry, checked: Checked, numbers: dict[str, Any]
) -> PlanNode:
    """The node with what its author or a default says of it."""
    defaults = checked.spec.defaults
    if timeout is None and node.type not in checked.waiting_types:
        timeout = defaults.timeout
    return PlanNode(
        name=node.name,
        type=node.type,
        title=node.title,
        config=checked.configs.get(node.name, node.config),
        queue=node.queue or defaults.queue,
        priority=defaults.priority if node.priority is None else node.priority,
        retry=retry,
        timeout=timeout,
        **numbers,
    )


def _body(body: NodeSpec, owner: NodeSpec, checked: Checked, numbers: dict[str, Any]) -> PlanNode:
    """A map's body takes from its map what it does not say itself."""
    retry = retry_of(checked.spec.defaults.retry, owner.retry, body.retry)
    inherited = replace(
        body,
        queue=body.queue or owner.queue,
        priority=owner.priority if body.priority is None else body.priority,
    )
    timeout = owner.timeout if body.timeout is None else body.timeout
    place = {**numbers, "body_of": checked.topology.index[owner.name]}
    return _settled(inherited, timeout, retry, checked, place)


def _end(checked: Checked, numbers: dict[str, Any]) -> PlanNode:
    defaults = checked.spec.defaults
    output = checked.spec.output
    return PlanNode(
        name=END,
        type=END,
        config={} if output is None else {"output": output},
        queue=defaults.queue,
        priority=defaults.priority,
        auto=output is None,
        **numbers,
    )
