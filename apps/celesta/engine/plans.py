"""Published plans in memory: immutable, so kept for as long as they are in use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING

from celesta.graph.plan import Plan
from celesta.runs.calls import VersionKey
from celesta.runs.connection import one, rows

if TYPE_CHECKING:
    from celesta.workflows.models import WorkflowVersion


class LoadedPlan:
    """A plan with the names of the version it belongs to."""

    def __init__(
        self, version: int, number: int, workflow: str, workspace: int, plan: Plan
    ) -> None:
        self.version, self.number = version, number
        self.workflow, self.workspace = workflow, workspace
        self.plan = plan

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For each node, the nodes that its end may release."""
        gates = self.plan.gates
        return tuple(
            tuple(chain.from_iterable(gates[gate].nodes for gate in node.feeds))
            for node in self.plan.nodes
        )


class _Cache:
    """The plans used last, one per process.

    By more than the primary key: after a backup was restored under running processes, the versions
    published since are gone, and the next ones get their primary keys.
    """

    def __init__(self, size: int = 128) -> None:
        self._size = size
        self._plans: OrderedDict[VersionKey, LoadedPlan] = OrderedDict()
        self._lock = Lock()

    def get(self, version: VersionKey, make: Callable[[], LoadedPlan]) -> LoadedPlan:
        with self._lock:
            if version in self._plans:
                self._plans.move_to_end(version)
                return self._plans[version]
        loaded = make()
        with self._lock:
            self._plans[version] = loaded
            if len(self._plans) > self._size:
                self._plans.popitem(last=False)
        return loaded


_cache = _Cache()


def load(version: VersionKey) -> LoadedPlan:
    """The plan of a published version; read once per process."""
    return _cache.get(version, lambda: _read(version.pk))


def _read(version: int) -> LoadedPlan:
    number, workflow, workspace, plan = one(
        "SELECT v.number, w.name, w.workspace_id, v.plan_json FROM celesta_workflow_version v"
        " JOIN celesta_workflow w ON w.id = v.workflow_id WHERE v.id = %s::bigint",
        (version,),
    )
    return LoadedPlan(version, number, workflow, workspace, Plan.from_json(plan))


def of_version(version: WorkflowVersion) -> LoadedPlan:
    """The plan of a version at hand, which may not be committed yet."""

    def make() -> LoadedPlan:
        flow = version.workflow
        return LoadedPlan(version.pk, version.number, flow.name, flow.workspace_id, version.plan)

    return _cache.get(VersionKey(version.pk, version.checksum, version.created_at), make)


def version_of(run: str) -> VersionKey | None:
    """The version a run is pinned to; None when there is no such run."""
    found = rows(
        "SELECT v.id, v.checksum, v.created_at FROM celesta_run r"
        " JOIN celesta_workflow_version v ON v.id = r.version_id WHERE r.id = %s::uuid",
        (run,),
    )
    return VersionKey(*found[0]) if found else None


def of_run(run: str) -> LoadedPlan | None:
    """The plan a run is pinned to."""
    version = version_of(run)
    return None if version is None else load(version)
