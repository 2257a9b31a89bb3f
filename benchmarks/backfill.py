"""How fast a backfill starts its slots: real runs, written and published. Needs Django to be ready.

Nobody listens to the queue of the runs: what is measured is the start, once in this process, and
once by a worker that leads and starts them beside its other duties.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from benchmarks.canvas import describe, tell
from benchmarks.options import Options
from benchmarks.report import write
from benchmarks.servers import Servers
from benchmarks.sides import Hung, Wrong
from benchmarks.workers import celesta_worker
from celesta.access import workspaces
from celesta.access.principals import SYSTEM
from celesta.runs.models import Run
from celesta.triggers import backfilling, backfills
from celesta.triggers.models import Backfill
from celesta.workflows.publishing import publish

TIMEOUT = 300.0  # seconds
BEGIN, MINUTE = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1)
DOCUMENT = {
    "workflow": "backfilled",
    "params": {"properties": {"at": {"type": "string"}}},
    "nodes": {
        "a": {"type": "transform", "queue": "nobody", "with": {"output": "{{ params.at }}"}},
        "b": {"type": "transform", "queue": "nobody", "needs": ["a"], "with": {"output": 1}},
    },
}


def run(options: Options, servers: Servers) -> int:
    """Measure, print and write; return the exit code."""
    found = describe(options, servers)
    count = 500 if options.quick else 10_000
    figures: dict[str, float] = {}
    begun = time.perf_counter()
    made = _make(count)
    figures["slots written a second"] = count / (time.perf_counter() - begun)
    figures["started a second by this process"] = _rate(made, lambda: backfilling.advance_all(1.0))
    worker = celesta_worker(servers.directory, 1)
    worker.start()
    try:
        figures["started a second by the leader"] = _rate(_make(count), lambda: time.sleep(0.05))
    finally:
        worker.stop()
    for name, figure in figures.items():
        tell(f"{name:<46}{figure:>8.0f}")
    if options.json:
        write(options.json, {**found, "backfill": figures})
    return 0


def _make(count: int) -> Backfill:
    version = publish(workspaces.default(), DOCUMENT, by=None)
    draft = backfills.of_workflow(version.workflow, BEGIN, BEGIN + (count - 1) * MINUTE)
    draft.cron, draft.params, draft.max_active = "* * * * *", {"at": "{{ slot.time }}"}, 10_000
    return backfills.create(draft, principal=SYSTEM, limit=count)


def _rate(made: Backfill, work: Callable[[], object]) -> float:
    """Slots started a second, from the first of them on; raises Wrong and Hung."""
    begun, ends = time.perf_counter(), time.monotonic() + TIMEOUT
    while made.state == Backfill.State.RUNNING:
        if time.monotonic() > ends:
            raise Hung(f"the backfill is at {made.cursor} of {made.total} after {TIMEOUT:g} s")
        if made.cursor == 0:
            begun = time.perf_counter()
        work()
        made.refresh_from_db()
    took = time.perf_counter() - begun
    runs = Run.objects.filter(trigger="backfill", trigger_ref=str(made.pk)).count()
    if runs != made.total:
        raise Wrong(f"{made.total} slots were started as {runs} runs")
    return made.total / took
