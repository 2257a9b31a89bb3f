"""Workers with the test's node functions, and runs whose bodies leave traces."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pytest_django.plugin import DjangoDbBlocker
from redis import Redis

from celesta.access.models import Workspace
from celesta.access.principals import SYSTEM
from celesta.engine.awaiting import await_run
from celesta.engine.start import start_run
from celesta.runs import connection
from celesta.runs.models import Event, NodeRun, Run, Slot
from celesta.workflows.publishing import publish
from tests.processes import PATIENCE, WorkerProcess, wait_for

#: What only costs time at start-up here.
QUICK = ("--without-mingle", "--without-gossip", "--without-heartbeat")
#: Likewise: it would load every page and endpoint to look at their addresses.
UNCHECKED = {"SKIP_CHECKS": "1"}
WORKLOAD = {"DJANGO_SETTINGS_MODULE": "tests.settings.workload"}


@pytest.fixture(autouse=True)
def _known_functions() -> None:
    """Publishing checks functions, so this process must know them, too."""
    import tests.workload.celesta_nodes  # noqa: F401


@pytest.fixture
def _django_db_helper(
    flushed_after_module: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """In place of pytest-django's: tests have queues and runs of their own, nothing is flushed."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture(autouse=True)
def _close_hot_connection() -> Iterator[None]:
    yield
    connection.close()


class Stage:
    """One test's queue, workers and runs."""

    def __init__(self, start_worker: Callable[..., WorkerProcess], directory: Path) -> None:
        self.queue = f"fault-{uuid4().hex[:8]}"
        self.log = directory / "bodies.log"
        self.directory = directory
        self.env = WORKLOAD
        self._start_worker = start_worker

    def worker(self, **options: Any) -> WorkerProcess:
        """A real worker that listens to the test's queue."""
        env = {**UNCHECKED, **self.env, **options.pop("env", {})}
        arguments = (*QUICK, *options.pop("arguments", ()))
        return self._start_worker(queues=self.queue, env=env, arguments=arguments, **options)

    def node(self, function: str, *needs: str, **fields: Any) -> dict[str, Any]:
        """A python node of the workload, on the test's queue."""
        args = {"log": str(self.log), **fields.pop("args", {})}
        if function == "test.result":
            del args["log"]
        return {
            "type": "python",
            "queue": self.queue,
            "needs": list(needs),
            "with": {"function": function, "args": args},
            **fields,
        }

    def start(self, nodes: dict[str, Any], **document: Any) -> Run:
        """Publish a workflow of these nodes and start it."""
        workspace, _ = Workspace.objects.get_or_create(slug="default", defaults={"name": "Default"})
        name = f"fault.w{uuid4().hex[:8]}"
        version = publish(workspace, {"workflow": name, "nodes": nodes, **document}, by=None)
        return start_run(version, {}, principal=SYSTEM).run

    def bodies(self) -> Counter[str]:
        """How often each node run's body began, by its idempotency key."""
        if not self.log.exists():
            return Counter()
        return Counter(line.split()[0] for line in self.log.read_text().splitlines())

    def began(self, number: int = 1, deadline: float = PATIENCE) -> None:
        """Wait until so many bodies have begun."""
        wait_for(lambda: sum(self.bodies().values()) >= number, deadline)

    def ends(self, run: Run, deadline: float = PATIENCE) -> Run:
        """Wait for the run's end; what a fault test always demands is checked on the way."""
        run = await_run(run.pk, [], timeout=deadline)
        if run.state == "failed":
            print("the run failed:", run.error)
        assert run.finished_at, f"still {run.state} after {deadline} s: {self.states(run)}"
        self.assert_accounted(run)
        return run

    def states(self, run: Run) -> dict[str, str]:
        """State by node name (items of a map as ``name[scope]``)."""
        plan = run.version.plan
        rows = NodeRun.objects.filter(run_id=run.pk).values_list("scope", "node", "state")
        return {
            f"{plan.nodes[n].name}[{s}]" if s else plan.nodes[n].name: state for s, n, state in rows
        }

    def events(self, run: Run, kind: str) -> list[Event]:
        """Events of one kind."""
        return list(Event.objects.filter(run_id=run.pk, kind=kind).order_by("id"))

    def assert_accounted(self, run: Run) -> None:
        """At most one accepted result a node; every run of a body is an attempt; no slot leaks."""
        ended = ["succeeded", "failed", "skipped"]
        accepted = Counter(
            Event.objects.filter(run_id=run.pk, kind__in=ended).values_list("scope", "node")
        )
        assert max(accepted.values(), default=0) <= 1, accepted
        bodies = self.bodies()
        rows = NodeRun.objects.filter(run_id=run.pk).values_list("scope", "node", "attempt")
        for scope, node, attempt in rows:
            key = f"{run.pk}:{scope}:{node}"
            assert bodies[key] <= attempt, f"{key} ran more often than it has attempts"
        wait_for(lambda: not Slot.objects.filter(run_id=run.pk).exists())


@pytest.fixture
def stage(worker_process: Callable[..., WorkerProcess], tmp_path: Path) -> Stage:
    """The stage of one fault."""
    return Stage(worker_process, tmp_path)


@pytest.fixture
def flush_broker(broker_url: str) -> Callable[[], None]:
    """Lose every message, binding and acknowledgement of this test's own broker database."""

    def flush() -> None:
        if not broker_url.startswith("redis"):
            pytest.skip("RabbitMQ has no command that loses everything at once")
        with Redis.from_url(broker_url) as broker:
            broker.flushdb()

    return flush


def alive(pid: int) -> bool:
    """True while a process of that number exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
