"""Celesta's side. To be imported when Django is ready."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from benchmarks.gaps import Span, gaps
from benchmarks.sides import Hung, Launch, Wait
from benchmarks.workers import Worker, celesta_worker
from benchmarks.workloads import Workload, document, layer_of
from celesta.access import workspaces
from celesta.access.principals import SYSTEM
from celesta.engine.start import start_run
from celesta.runs.connection import one, rows
from celesta.workflows.models import WorkflowVersion
from celesta.workflows.publishing import publish

#: Seconds between two looks at a run, each of which costs some 0.1 ms of CPU: a fiftieth of the
#: time waited so far, within these bounds.
SHORTEST, LONGEST, PART = 0.002, 0.01, 0.02


class CelestaSide:
    """`celery -A project worker`, runs started by `start_run` and awaited by a light query."""

    name = "celesta"

    def __init__(self, directory: Path, concurrency: int, servers: Mapping[str, int]) -> None:
        self._worker: Worker = celesta_worker(directory, concurrency)
        self._servers = servers
        self._versions: dict[str, WorkflowVersion] = {}
        self._last: dict[str, list[UUID]] = {}

    @property
    def worker_pid(self) -> int:
        """Return the number of the worker's main process."""
        return self._worker.pid

    @property
    def settings(self) -> str:
        """Return what the worker was started with."""
        return self._worker.settings

    def start(self) -> None:
        """Start the worker."""
        self._worker.start()

    def stop(self) -> None:
        """End the worker."""
        self._worker.stop()

    def recover(self) -> None:
        """Begin anew: a hung run of Celesta stays in its tables and is nobody's concern there."""
        self.stop()
        self.start()

    def families(self) -> Mapping[str, int]:
        """Return the worker, and both servers."""
        return {"worker": self._worker.pid, **self._servers}

    def publish(self, workloads: Sequence[Workload]) -> None:
        """Publish the workflows."""
        workspace = workspaces.default()
        for workload in workloads:
            self._versions[workload.name] = publish(workspace, document(workload), by=None)

    def launches(self, workload: Workload) -> list[Launch]:
        """Return one launch for each run."""
        version = self._versions[workload.name]
        ids: list[UUID] = []
        self._last[workload.name] = ids

        def launch() -> Wait:
            run = start_run(version, {}, principal=SYSTEM).run.id
            ids.append(run)
            return lambda deadline: _wait(run, deadline)

        return [launch] * workload.runs

    def finish(self) -> None:
        """Nothing to clear up: history stays, as it would."""

    def executed(self) -> int:
        """Return how many nodes have succeeded, the compiled `end` of each run left out."""
        (count,) = one(
            "SELECT count(*) FROM celesta_node_run n JOIN celesta_run r ON r.id = n.run_id"
            " JOIN celesta_plan_node p ON p.version_id = r.version_id AND p.node = n.node"
            " WHERE n.state = 'succeeded' AND n.attempt = 1 AND p.name <> 'end'"
        )
        return int(count)

    def gaps(self, workload: Workload, timeout: float) -> list[float]:
        """Return the transitions of the runs of the last measurement, from their history."""
        found: list[float] = []
        for run in self._last[workload.name]:
            layers: list[list[Span]] = [[] for _ in workload.layers]
            for name, began, ended in rows(_TIMES, (run,)):
                layers[layer_of(name)].append((began, ended))
            found += gaps(layers)
        return found


_TIMES = (
    "SELECT p.name, extract(epoch FROM n.started_at)::float8,"
    " extract(epoch FROM n.finished_at)::float8"
    " FROM celesta_node_run n JOIN celesta_run r ON r.id = n.run_id"
    " JOIN celesta_plan_node p ON p.version_id = r.version_id AND p.node = n.node"
    " WHERE n.run_id = %s::uuid AND p.name <> 'end'"
)


def _wait(run: UUID, deadline: float) -> None:
    began = time.monotonic()
    while True:
        (state,) = one("SELECT state FROM celesta_run WHERE id = %s::uuid", (run,))
        if state == "succeeded":
            return
        if state in ("failed", "cancelled"):
            raise Hung(f"run {run} {state}")
        if time.monotonic() > deadline:
            raise Hung(f"run {run} is still {state}")
        waited = time.monotonic() - began
        time.sleep(min(LONGEST, max(SHORTEST, waited * PART)))
