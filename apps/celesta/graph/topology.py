"""The order of the graph: topological order, cycles, ancestors. Nothing here recurses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from celesta.graph.findings import Findings
from celesta.graph.needs import Edges
from celesta.graph.paths import Path
from celesta.graph.spec import Spec


@dataclass(frozen=True, slots=True)
class Topology:
    """Nodes of the forward pass in an order in which each comes after what it needs.

    Sets of nodes are integers with bit ``i`` set for the node at ``order[i]``: the unions over
    50,000 edges that ancestors need are then a few machine words each.
    """

    order: list[str] = field(default_factory=list)
    index: dict[str, int] = field(default_factory=dict)
    #: Upstream indexes by node index.
    upstreams: list[tuple[int, ...]] = field(default_factory=list)
    #: All ancestors by node index.
    ancestors: list[int] = field(default_factory=list)
    #: Nodes whose ancestors are not fully known, because an edge on the way is faulty.
    uncertain: int = 0

    def children(self) -> list[list[int]]:
        """Child indexes by node index."""
        found: list[list[int]] = [[] for _ in self.order]
        for index, upstreams in enumerate(self.upstreams):
            for upstream in upstreams:
                found[upstream].append(index)
        return found


def sort(edges: Edges) -> Topology:
    """Order the nodes, keeping the author's order where the graph leaves it open.

    Nodes in a cycle, and those behind one, are left out of the result.
    """
    order = _order(edges.upstreams)
    index = {name: i for i, name in enumerate(order)}
    upstreams = [tuple(index[up] for up in edges.upstreams[name]) for name in order]
    ancestors: list[int] = []
    #: Each node with its ancestors: what its children have above them.
    closed: list[int] = []
    uncertain = 0
    for i, name in enumerate(order):
        found = 0
        for upstream in upstreams[i]:
            found |= closed[upstream]
        ancestors.append(found)
        closed.append(found | 1 << i)
        if name in edges.faulty or found & uncertain:
            uncertain |= 1 << i
    return Topology(order, index, upstreams, ancestors, uncertain)


def _order(upstreams: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Kahn's algorithm with the author's order among the ready ones, layer by layer."""
    waiting = {name: len(needs) for name, needs in upstreams.items()}
    children: dict[str, list[str]] = {name: [] for name in upstreams}
    for name, needs in upstreams.items():
        for need in needs:
            children[need].append(name)
    order = [name for name, count in waiting.items() if count == 0]
    for name in order:  # grows while it is walked
        for child in children[name]:
            waiting[child] -= 1
            if waiting[child] == 0:
                order.append(child)
    return order


def report_cycles(spec: Spec, edges: Edges, topology: Topology, findings: Findings) -> None:
    """Report each cycle once, its nodes in the order in which they would run."""
    for cycle in cycles(edges.upstreams, topology.index):
        first = cycle[0]
        last = cycle[-1]
        chain = " -> ".join([*cycle, first])
        at = next(at for at, need in spec.nodes[first].needs if need.node == last)
        path: Path = ("nodes", first, "needs", at)
        message = f"These nodes wait for each other: {chain}."
        hint = f"Remove one of these needs, for example {last!r} from {first!r}."
        findings.error("cyclic_dependency", path, message, hint)


def cycles(upstreams: Mapping[str, tuple[str, ...]], sorted_: Mapping[str, int]) -> list[list[str]]:
    """Cycles among the nodes that could not be sorted, each from its first node in the document.

    Every unsorted node needs another unsorted one; following one such need from each of them ends
    in a cycle. Cycles that share those needs are reported after the first has been repaired.
    """
    place = {name: i for i, name in enumerate(upstreams)}
    finished: set[str] = set()
    found: list[list[str]] = []
    for start in upstreams:
        walk: dict[str, int] = {}
        name = start
        while name not in sorted_ and name not in finished and name not in walk:
            walk[name] = len(walk)
            name = next(need for need in upstreams[name] if need not in sorted_)
        if name in walk:
            loop = list(walk)[walk[name] :]
            loop.reverse()  # needs point backwards; people read forwards
            first = min(range(len(loop)), key=lambda i: place[loop[i]])
            found.append(loop[first:] + loop[:first])
        finished.update(walk)
    return found
