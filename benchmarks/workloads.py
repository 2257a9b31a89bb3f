"""What is run: graphs in layers, each node of a layer needing every node of the one before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

FUNCTION = "benchmarks.noop"


@dataclass(frozen=True)
class Workload:
    """A graph, and how often one measurement runs it: one after another, or all at once."""

    name: str
    title: str
    layers: tuple[int, ...]
    runs: int
    at_once: bool = False

    @property
    def size(self) -> int:
        """Return the number of nodes of one run."""
        return sum(self.layers)

    @property
    def nodes(self) -> int:
        """Return the number of nodes of one measurement."""
        return self.size * self.runs


WORKLOADS = (
    Workload("W1", "chain of 100", (1,) * 100, runs=10),
    Workload("W2", "1 -> 500 -> 1", (1, 500, 1), runs=2),
    Workload("W3", "10 layers x 10, fully connected, and a join", (10,) * 10 + (1,), runs=10),
    Workload("W4", "200 diamonds of 5, submitted at once", (1, 3, 1), runs=200, at_once=True),
)


def chosen(names: Sequence[str], *, quick: bool = False) -> list[Workload]:
    """Return the workloads of these names; KeyError for a name that there is not."""
    known = {workload.name: workload for workload in WORKLOADS}
    return [_tiny(known[name]) if quick else known[name] for name in names]


def _tiny(workload: Workload) -> Workload:
    """Return the same shape in a size that only shows that everything works."""
    if len(set(workload.layers)) == 1:
        layers = workload.layers[:10]
    elif len(workload.layers) > 3:
        layers = (3, 3, 3, 1)
    else:
        layers = tuple(min(width, 20) for width in workload.layers)
    title = f"{workload.title} (here: {'-'.join(map(str, layers))})"
    return replace(workload, title=title, layers=layers, runs=min(workload.runs, 5))


def node_name(layer: int, place: int) -> str:
    """Return the name of a node: `l3n7` is the eighth of the fourth layer."""
    return f"l{layer}n{place}"


def layer_of(name: str) -> int:
    """Return the number of the layer that a node's name tells."""
    return int(name[1:].partition("n")[0])


def document(workload: Workload) -> dict[str, Any]:
    """Return the workflow that Celesta runs."""
    nodes: dict[str, Any] = {}
    needs: list[str] = []
    for layer, width in enumerate(workload.layers):
        names = [node_name(layer, place) for place in range(width)]
        for name in names:
            nodes[name] = {"type": "python", "with": {"function": FUNCTION}}
            if needs:
                nodes[name]["needs"] = needs
        needs = names
    # Lower case and no blanks: a workflow's name.
    return {"workflow": f"benchmark.{workload.name.lower()}", "nodes": nodes}
