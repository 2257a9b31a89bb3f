"""Raw canvas' side: the best that plain Celery does here."""

import os
import time
from collections import defaultdict
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from celery import Signature
from celery.exceptions import TimeoutError as CeleryTimeoutError
from celery.result import AsyncResult
from redis import Redis

from benchmarks import raw_canvas
from benchmarks.gaps import Span, gaps
from benchmarks.names import RAW_QUEUE
from benchmarks.sides import Hung, Launch, Wait, Wrong
from benchmarks.workers import Worker, raw_worker
from benchmarks.workloads import Workload

#: Runs whose transitions are taken: enough for a percentile of 99.
STAMPED_RUNS = 10
#: Seconds in which a worker tells its counts.
ASKING = 5.0


class RawSide:
    """A prefork worker of an app of its own, results in Redis, waited for by `.get()`."""

    name = "raw"

    def __init__(
        self, directory: Path, concurrency: int, prefetch: int, servers: Mapping[str, int]
    ) -> None:
        self._stamps = directory / "stamps"
        os.environ[raw_canvas.STAMPS] = str(self._stamps)
        self._worker: Worker = raw_worker(directory, concurrency, prefetch)
        self._servers = {name: pid for name, pid in servers.items() if name != "postgres"}
        self._results: list[AsyncResult[object]] = []

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
        """Begin anew: with another worker and an empty queue."""
        self.stop()
        with Redis.from_url(str(raw_canvas.app.conf.broker_url)) as redis:
            redis.delete(RAW_QUEUE)
        self._results.clear()
        self.start()

    def families(self) -> Mapping[str, int]:
        """Return the worker and the broker; the database has no part in it."""
        return {"worker": self._worker.pid, **self._servers}

    def launches(self, workload: Workload) -> list[Launch]:
        """Return one launch for each run."""
        made = [_noops(workload) for _ in range(workload.runs)]
        return [self._launch(canvas) for canvas in made]

    def finish(self) -> None:
        """Forget results, whose subscriptions would slow the next measurement."""
        for result in self._results:
            result.forget()
        self._results.clear()

    def executed(self) -> int:
        """Return how many tasks the worker has run; Wrong if it does not say so."""
        name = f"{self.name}@{os.uname().nodename}"
        inspect = raw_canvas.app.control.inspect([name], timeout=ASKING)
        told = (inspect.stats() or {}).get(name)
        if told is None:
            raise Wrong("the worker of raw canvas does not tell how many tasks it has run")
        return sum(told["total"].values())

    def gaps(self, workload: Workload, timeout: float) -> list[float]:
        """Return the transitions of some runs whose tasks write down their times."""
        self._stamps.unlink(missing_ok=True)
        runs = count()
        launches = [
            self._launch(_stamped(workload, next(runs)))
            for _ in range(min(workload.runs, STAMPED_RUNS))
        ]
        for launch in launches:
            launch()(time.monotonic() + timeout)
        self.finish()
        return _read(self._stamps, len(workload.layers))

    def _launch(self, canvas: Signature) -> Launch:
        def launch() -> Wait:
            result = canvas.apply_async()
            self._results.append(result)
            return lambda deadline: _wait(result, deadline)

        return launch


def _noops(workload: Workload) -> Signature:
    return raw_canvas.canvas(workload.layers, lambda _layer: raw_canvas.noop.s())


def _stamped(workload: Workload, run: int) -> Signature:
    return raw_canvas.canvas(
        workload.layers, lambda layer: raw_canvas.stamped.s(run=run, layer=layer)
    )


def _wait(result: AsyncResult[object], deadline: float) -> None:
    try:
        result.get(timeout=max(0.01, deadline - time.monotonic()))
    except CeleryTimeoutError as error:
        raise Hung(f"the result {result.id} never came") from error


def _read(file: Path, layers: int) -> list[float]:
    runs: dict[str, list[list[Span]]] = defaultdict(lambda: [[] for _ in range(layers)])
    for line in file.read_text().splitlines():
        run, layer, began, ended = line.split()
        runs[run][int(layer)].append((float(began), float(ended)))
    return [gap for found in runs.values() for gap in gaps(found)]
