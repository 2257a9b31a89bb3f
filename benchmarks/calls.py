"""What single calls of the engine cost: one slot, no worker, no broker. Needs Django to be ready.

Each is timed from outside and split into Python's CPU time, the database backend's, and the rest:
the flush of the commit and the way there and back.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connections, transaction
from uuid_utils.compat import uuid7

from benchmarks.canvas import describe, tell
from benchmarks.meter import cpu_seconds
from benchmarks.options import Options
from benchmarks.report import write
from benchmarks.servers import Servers
from benchmarks.sides import Wrong
from benchmarks.workloads import Workload, document
from celesta.access import workspaces
from celesta.runs import connection, transitions
from celesta.runs.calls import Claim, Claimed, Completion, NewRun, Report, Sent
from celesta.workflows.models import WorkflowVersion
from celesta.workflows.publishing import publish

LEASE = 60.0
QUEUES = ("default",)

#: A run with what its start released.
Started = tuple[str, Sent]


@dataclass(frozen=True)
class Cost:
    """Microseconds for each of `count` things."""

    count: int
    wall: float
    python: float
    backend: float


@dataclass
class Slot:
    """One slot at work on one run."""

    id: int
    token: int = 0
    seq: int = 0

    def claim(self, run: str, sent: Sent) -> Claim:
        """Claim what was released as a worker would."""
        self.token, self.seq = self.token + 1, 0
        named = sent.wave is None
        return transitions.claim(
            self.id,
            self.token,
            run,
            scope=sent.scope if named else None,
            node=sent.nodes[0] if named else None,
            hint=None if named else sent.hints[0],
            via="task",
            take=1,
            lease=LEASE,
        )

    def walk(self, run: str, sent: Sent, keep: int) -> None:
        """Claim what was released, complete it, and so on until nothing more is released."""
        travelling = [sent]
        while travelling:
            claim = self.claim(run, travelling.pop())
            held, wave = claim.claimed, claim.wave if claim.wave_left else None
            while held or wave is not None:
                done = self.complete(run, held, keep, wave)
                held, wave = done.claimed, wave if done.wave_left else None
                travelling += done.sent

    def complete(
        self, run: str, held: tuple[Claimed, ...], keep: int, wave: int | None
    ) -> Completion:
        """Complete what is held, and claim the next."""
        self.seq += 1
        return transitions.complete(
            self.id,
            self.token,
            self.seq,
            run,
            [_report(each) for each in held],
            queues=QUEUES,
            keep=keep,
            wave=wave,
            lease=LEASE,
        )


def run(options: Options, servers: Servers) -> int:
    """Measure, print and write; return the exit code."""
    found = describe(options, servers)
    costs = _costs(shrink=20 if options.quick else 1)
    tell(f"\n{'us each':<46}{'count':>8}{'wall':>8}{'python':>8}{'backend':>9}")
    for name, cost in costs.items():
        tell(f"{name:<46}{cost.count:>8}{cost.wall:>8.0f}{cost.python:>8.0f}{cost.backend:>9.0f}")
    if options.json:
        write(options.json, {**found, "calls": {name: vars(cost) for name, cost in costs.items()}})
    return 0


def _costs(shrink: int) -> dict[str, Cost]:
    slot = Slot(transitions.register_slot("benchmark", 0, QUEUES, LEASE))
    chain = Workload("chain", "chain of 1000", (1,) * (1000 // shrink), runs=1)
    wide = Workload("wide", "1 -> 1000 -> 1", (1, 1000 // shrink, 1), runs=1)
    diamond = Workload("diamond", "diamond of 5", (1, 3, 1), runs=200 // shrink)
    return {
        "start a diamond (statement and commit)": _starts(diamond),
        "a node of a chain of 1000, one a call": _walks(slot, chain, 1),
        "a node of 1000 side by side, 100 a call": _walks(slot, wide, 100),
        "a diamond after its start": _walks(slot, diamond, 16, of_runs=True),
    }


def _starts(workload: Workload) -> Cost:
    version = _publish(workload)
    _begin(version)

    def work() -> int:
        for _ in range(workload.runs):
            _begin(version)
        return workload.runs

    return _cost(work, connections["default"].connection.info.backend_pid)


def _walks(slot: Slot, workload: Workload, keep: int, *, of_runs: bool = False) -> Cost:
    """Walk through runs of a workload; the cost of a node, or of a whole run."""
    version = _publish(workload)
    _walk(slot, _begin(version), keep)  # plans are made, statements prepared
    begun = [_begin(version) for _ in range(workload.runs)]

    def work() -> int:
        for started in begun:
            _walk(slot, started, keep)
        return workload.runs if of_runs else workload.nodes

    return _cost(work, connection.hot().info.backend_pid)


def _walk(slot: Slot, started: Started, keep: int) -> None:
    run, sent = started
    slot.walk(run, sent, keep)
    (state,) = connection.one("SELECT state FROM celesta_run WHERE id = %s::uuid", (run,))
    if state != "succeeded":
        raise Wrong(f"a run of the benchmark is {state} at its end")


def _publish(workload: Workload) -> WorkflowVersion:
    return publish(workspaces.default(), document(workload), by=None)


def _begin(version: WorkflowVersion) -> Started:
    """Start a run as `start_run` does, but for the ORM and the message."""
    new = NewRun(uuid7(), version.workflow.workspace_id, version.workflow_id, version.pk, {})
    with transaction.atomic():
        begun = transitions.start(new)
    return str(begun.run), begun.sent[0]


def _report(claimed: Claimed) -> Report:
    return Report(claimed.scope, claimed.node, claimed.attempt, "succeeded", 0.0, 0.0)


def _cost(work: Callable[[], int], backend: int) -> Cost:
    """Return what each of the things that `work` does (and counts) took."""
    server, python = cpu_seconds(backend), time.process_time()
    began = time.perf_counter()
    count = work()
    wall, python = time.perf_counter() - began, time.process_time() - python
    server = cpu_seconds(backend) - server
    return Cost(count, *(round(each / count * 1e6, 1) for each in (wall, python, server)))
