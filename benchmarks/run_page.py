"""The page of a run in a real Chromium, while a real worker runs its nodes at a steady pace.

A layered graph waits behind a gate until the page stands. Then its nodes run, so many a second,
and the page is told of each by the run's stream. Each repetition is a workflow, a run and a
visitor of its own: nothing of the page was drawn or fetched before.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.browser import new_page
from benchmarks.celesta_nodes import GATE, PACED
from benchmarks.sides import Hung, Wrong
from celesta.access import workspaces
from celesta.access.principals import SYSTEM
from celesta.engine.start import start_run
from celesta.runs.connection import one
from celesta.runs.models import Run
from celesta.workflows.publishing import publish

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Nodes of a layer, and nodes that each of them needs.
ACROSS, NEEDS = 25, 2
#: Nodes a second, somewhat above the promise's 100.
PACE: Final = 110.0

#: The graph stands, and its script has taken over.
DRAWN: Final = """(count) => meter.when(() =>
  document.querySelectorAll('.graph.windowed [data-node]').length >= count)"""
#: Every node of the graph is shown as succeeded.
ALL_DONE: Final = """(count) => meter.when(() =>
  document.querySelectorAll('.graph g.node.s-succeeded').length >= count)"""
LISTEN: Final = """() => {
  window.toldOf = 0;
  document.addEventListener('celesta:event', () => { window.toldOf += 1; });
}"""


@dataclass(frozen=True)
class Watched:
    """What one run's page did. Times in milliseconds, from the begin of the navigation."""

    drawn_ms: float
    longest_task_of_loading_ms: float
    nodes_a_second: float
    messages: int
    frames_in_each_second: list[float]
    longest_task_ms: float


def watch(browser: Browser, url: str, cookie: tuple[str, str], nodes: int, number: int) -> Watched:
    """Run one workflow under the eyes of one page; raises Hung and Wrong."""
    with tempfile.TemporaryDirectory() as directory:
        gate, clock = Path(directory) / "gate", Path(directory) / "clock"
        clock.touch()
        document = layered(f"benchmark.page{number}", nodes, paced(gate, clock))
        run = start_run(publish(workspaces.default(), document, by=None), {}, principal=SYSTEM).run
        _await(lambda: _count(run, "running") == 1)
        with new_page(browser, url, cookie) as page:
            page.goto(f"/runs/{run.pk}/", wait_until="commit")
            drawn = page.evaluate(DRAWN, nodes)
            loading = page.evaluate("meter.end()")
            page.evaluate(LISTEN)
            page.evaluate("meter.begin()")
            gate.touch()
            page.evaluate(ALL_DONE, nodes)
            changing = page.evaluate("meter.end()")
            told = page.evaluate("window.toldOf")
    _await(lambda: bool(Run.objects.get(pk=run.pk).finished_at))
    if _count(run, "succeeded") < nodes:
        raise Wrong(f"of {nodes} nodes {_count(run, 'succeeded')} succeeded")
    return Watched(
        drawn_ms=drawn,
        longest_task_of_loading_ms=loading["longest_task_ms"],
        nodes_a_second=_rate(run),
        messages=told,
        frames_in_each_second=changing["frames_in_each_second"],
        longest_task_ms=changing["longest_task_ms"],
    )


def layered(name: str, nodes: int, body: Callable[[int], dict[str, Any]]) -> dict[str, Any]:
    """A document of so many nodes in layers; each needs some of the layer before."""
    made: dict[str, Any] = {}
    for index in range(nodes):
        layer, place = divmod(index, ACROSS)
        above = [f"n{(layer - 1) * ACROSS + (place + i) % ACROSS}" for i in range(NEEDS)]
        # The first alone is at the top: it holds everything.
        needs = above if layer > 0 else ["n0"] if place else []
        made[f"n{index}"] = {**body(index), **({"needs": needs} if needs else {})}
    return {"workflow": name, "nodes": made}


def paced(gate: Path, clock: Path) -> Callable[[int], dict[str, Any]]:
    """Nodes that keep the pace, the first of which waits for the gate."""

    def body(index: int) -> dict[str, Any]:
        function, args = PACED, {"path": str(clock), "rate": PACE}
        if index == 0:
            function, args = GATE, {"path": str(gate)}
        return {"type": "python", "with": {"function": function, "args": args}}

    return body


def _count(run: Run, state: str) -> int:
    (count,) = one(
        "SELECT count(*) FROM celesta_node_run WHERE run_id = %s::uuid AND state = %s",
        (run.pk, state),
    )
    return int(count)


def _rate(run: Run) -> float:
    """Nodes that ended a second, the gate left out."""
    (rate,) = one(
        "SELECT (count(*) - 1) / extract(epoch FROM max(finished_at) - min(finished_at))"
        " FROM celesta_node_run WHERE run_id = %s::uuid AND node > 0",
        (run.pk,),
    )
    return round(float(rate), 1)


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60.0
    while not holds():
        if time.monotonic() > deadline:
            raise Hung("the worker does not run the nodes of the page that is watched")
        time.sleep(0.05)
