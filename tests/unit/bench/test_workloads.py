from collections import Counter

import pytest
from celery.canvas import Signature, _chain, chord

from benchmarks import raw_canvas
from benchmarks.workloads import WORKLOADS, Workload, chosen, document, layer_of, node_name

EVERY = [*WORKLOADS, *chosen([workload.name for workload in WORKLOADS], quick=True)]


def tasks_of(signature: Signature) -> Counter[int]:
    """Count the tasks of a canvas by their layer: each would be run as often as it stands here."""
    if isinstance(signature, chord):
        found = tasks_of(signature.body)
        for task in signature.tasks:
            found += tasks_of(task)
        return found
    if isinstance(signature, _chain):
        found = Counter()
        for task in signature.tasks:
            found += tasks_of(task)
        return found
    return Counter([signature.kwargs["layer"]])


@pytest.mark.parametrize("workload", EVERY, ids=lambda workload: workload.title)
def test_both_sides_run_the_same_graph(workload: Workload) -> None:
    canvas = raw_canvas.canvas(
        workload.layers, lambda layer: raw_canvas.stamped.s(run=0, layer=layer)
    )
    nodes = document(workload)["nodes"]

    assert tasks_of(canvas) == Counter(dict(enumerate(workload.layers)))
    assert Counter(map(layer_of, nodes)) == Counter(dict(enumerate(workload.layers)))


def test_every_node_needs_the_whole_layer_before() -> None:
    nodes = document(Workload("W", "", (2, 3, 1), runs=1))["nodes"]

    assert "needs" not in nodes["l0n1"]
    assert nodes["l1n2"]["needs"] == ["l0n0", "l0n1"]
    assert nodes["l2n0"]["needs"] == ["l1n0", "l1n1", "l1n2"]


def test_the_sizes_are_those_that_were_asked_for() -> None:
    sizes = {workload.name: (workload.size, workload.runs) for workload in WORKLOADS}

    assert sizes == {"W1": (100, 10), "W2": (502, 2), "W3": (101, 10), "W4": (5, 200)}
    assert [workload.at_once for workload in WORKLOADS] == [False, False, False, True]


def test_a_node_tells_its_layer() -> None:
    assert layer_of(node_name(12, 3)) == 12


def test_a_canvas_must_end_in_one_task() -> None:
    with pytest.raises(ValueError, match="no single result"):
        raw_canvas.canvas((1, 2), lambda _layer: raw_canvas.noop.s())
