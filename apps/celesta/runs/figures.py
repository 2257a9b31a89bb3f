"""Figures over many runs, for people who look after them. Nothing here writes.

None of it reads more rows the longer the history is: what is open is counted up to a bound, and
what has been is told of the newest runs only, with the time that these cover.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, F, Max, Min, QuerySet, Sum

from celesta.access.models import Workspace
from celesta.access.principals import Principal
from celesta.runs import queries
from celesta.runs.models import Hint, NodeRun, Run
from celesta.runs.states import TERMINAL_RUN, RunState

#: Counting stops here: whoever has more of them needs no exact number.
BOUND: Final = 1_000
HINTS: Final = 10_000
#: The newest runs that are looked at, and how far back at most.
SAMPLE: Final = 5_000
WINDOW: Final = timedelta(hours=24)
BUCKETS: Final = 24
#: Failed runs that are grouped; ended runs, and nodes of theirs, of which the slowest are shown.
FAILED: Final = 200
ENDED: Final = 200
NODES: Final = 20_000
TOP: Final = 8
#: No bucket is shorter, in seconds.
SECOND: Final = 1.0

OPEN: Final = (RunState.RUNNING, RunState.PENDING, RunState.PAUSED, RunState.CANCELLING)


@dataclass(frozen=True, slots=True)
class Bounded:
    """A number of rows; ``more`` when counting stopped there."""

    value: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that wait on a queue, and since when the oldest one does."""

    queue: str
    hints: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Bucket:
    """The runs that began within ``seconds`` from ``begin``, by state."""

    begin: datetime
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many runs those are."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest runs, ``since`` then: at most a day, at most SAMPLE of them (``cut``)."""

    since: datetime
    until: datetime
    cut: bool
    counts: Mapping[str, int]
    buckets: Sequence[Bucket]
    seconds: float
    #: Durations of those that ended, in seconds; None when none did.
    median: float | None
    p95: float | None

    @property
    def total(self) -> int:
        """How many runs those are."""
        return sum(self.counts.values())

    @property
    def per_hour(self) -> float:
        """Runs that began in an hour, on average."""
        return self.total / max((self.until - self.since).total_seconds(), SECOND) * 3600

    @property
    def succeeded_share(self) -> float | None:
        """The share of those that succeeded or failed, 0 to 1; None when none did."""
        ended = self.counts.get("succeeded", 0) + self.counts.get("failed", 0)
        return self.counts.get("succeeded", 0) / ended if ended else None


@dataclass(frozen=True, slots=True)
class Failure:
    """Failed runs of one workflow that failed in the same way."""

    workflow_id: int
    workflow: str
    node: str
    code: str
    message: str
    runs: int
    last: datetime
    last_run: UUID


@dataclass(frozen=True, slots=True)
class SlowNode:
    """A node of a workflow in the newest runs; times in seconds."""

    workflow_id: int
    workflow: str
    node: str
    times: int
    mean: float
    longest: float
    waited: float


def open_runs(principal: Principal) -> dict[str, Bounded]:
    """How many runs are in each state that is not over, up to a bound."""
    return {state.value: _bounded(_in_state(principal, state)) for state in OPEN}


def _bounded(rows: QuerySet[Run]) -> Bounded:
    found = rows[: BOUND + 1].count()
    return Bounded(min(found, BOUND), found > BOUND)


def _in_state(principal: Principal, state: RunState) -> QuerySet[Run]:
    return Run.objects.filter(workspace__in=_workspaces(principal), state=state.value).order_by()


def _workspaces(principal: Principal) -> list[int]:
    """By id even for those who see all: the indexes that know states begin with the workspace."""
    rows = Workspace.objects.all()
    seen = rows if principal.everywhere else rows.filter(pk__in=principal.workspace_ids)
    return list(seen.values_list("pk", flat=True))


def waiting_by_queue(principal: Principal) -> list[Waiting]:
    """The queues on which something waits to be claimed, the longest one first."""
    hints = Hint.objects.all()
    if not principal.everywhere:
        hints = hints.filter(run__workspace__in=principal.workspace_ids)
    some = hints.order_by("id").values("id")[:HINTS]
    found = Hint.objects.filter(id__in=some).values("queue")
    rows = found.annotate(hints=Count("*"), oldest=Min("released_at")).order_by("-hints", "queue")
    return [Waiting(**row) for row in rows]


def recent(principal: Principal, now: datetime) -> Recent:
    """What became of the newest runs."""
    begin = now - WINDOW
    visible: QuerySet[Run] = Run.objects.visible_to(principal)
    newest = visible.filter(id__gte=_first_id(begin)).order_by("-id")
    found = list(
        newest.values_list("created_at", "state", "started_at", "finished_at")[: SAMPLE + 1]
    )
    cut = len(found) > SAMPLE
    found = found[:SAMPLE]
    since = found[-1][0] if cut else begin
    seconds = max((now - since).total_seconds() / BUCKETS, SECOND)
    lasted = sorted(
        (finished - started).total_seconds()
        for _, _, started, finished in found
        if started and finished
    )
    return Recent(
        since,
        now,
        cut,
        Counter(state for _, state, *_ in found),
        _buckets(((created, state) for created, state, *_ in found), since, seconds),
        seconds,
        _share(lasted, 0.5),
        _share(lasted, 0.95),
    )


def _first_id(moment: datetime) -> UUID:
    """The lowest UUIDv7 of that millisecond: ids sort by start time, and the primary key too."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _buckets(
    found: Iterable[tuple[datetime, str]], since: datetime, seconds: float
) -> list[Bucket]:
    counts: list[Counter[str]] = [Counter() for _ in range(BUCKETS)]
    for created, state in found:
        place = int((created - since).total_seconds() / seconds)
        counts[max(0, min(place, BUCKETS - 1))][state] += 1
    return [Bucket(since + timedelta(seconds=seconds * i), c) for i, c in enumerate(counts)]


def _share(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else None


@dataclass(slots=True)
class _Group:
    runs: int = 0
    first: Run | None = field(default=None)


def failures(principal: Principal, now: datetime) -> list[Failure]:
    """How the newest failed runs of the last day failed, most frequent first."""
    rows = queries.runs(principal).filter(
        workspace__in=_workspaces(principal),
        state=RunState.FAILED.value,
        created_at__gte=now - WINDOW,
    )
    groups: defaultdict[tuple[int, str, str], _Group] = defaultdict(_Group)
    for run in rows.order_by("-created_at")[:FAILED]:
        error = run.error or {}
        group = groups[run.workflow_id, str(error.get("node", "")), str(error.get("code", ""))]
        group.runs += 1
        group.first = group.first or run
    found = [_failure(key, group) for key, group in groups.items()]
    return sorted(found, key=lambda one: (-one.runs, -one.last.timestamp()))[:TOP]


def _failure(key: tuple[int, str, str], group: _Group) -> Failure:
    run = group.first
    assert run is not None  # noqa: S101 - a group begins with its newest run
    _, node, code = key
    message = str((run.error or {}).get("message", ""))
    return Failure(
        run.workflow_id, run.workflow.name, node, code, message, group.runs, run.created_at, run.pk
    )


def slowest(principal: Principal, now: datetime) -> list[SlowNode]:
    """The nodes on which the newest ended runs spent most time."""
    chosen = _with_few_nodes(principal, now)
    if not chosen:
        return []
    lasted = F("finished_at") - F("started_at")
    waited = F("started_at") - F("ready_at")
    rows = (
        NodeRun.objects.filter(run__in=list(chosen), scope=0, attempt__gt=0)
        .filter(started_at__isnull=False, finished_at__isnull=False)
        .values("run__version_id", "node")
        .annotate(times=Count("*"), total=Sum(lasted), longest=Max(lasted), waited=Sum(waited))
    )
    versions = {run.version_id: run for run in chosen.values()}
    found: dict[tuple[int, str], _Spent] = defaultdict(_Spent)
    for row in rows:
        run = versions[row["run__version_id"]]
        node = queries.plan_of(run.version_id).nodes[row["node"]]
        if node.type != "end":  # it only reads what the others made
            found[run.workflow_id, node.name].add(row)
    workflows = {run.workflow_id: run.workflow.name for run in chosen.values()}
    slow = [spent.seen(key, workflows[key[0]]) for key, spent in found.items()]
    return sorted(slow, key=lambda one: -one.mean)[:TOP]


@dataclass(slots=True)
class _Spent:
    """The time spent on one node, over the versions that have it."""

    times: int = 0
    total: timedelta = timedelta()
    waited: timedelta = timedelta()
    longest: timedelta = timedelta()

    def add(self, row: Mapping[str, Any]) -> None:
        self.times += row["times"]
        self.total += row["total"]
        self.waited += row["waited"] or timedelta()
        self.longest = max(self.longest, row["longest"])

    def seen(self, key: tuple[int, str], workflow: str) -> SlowNode:
        workflow_id, node = key
        return SlowNode(
            workflow_id,
            workflow,
            node,
            self.times,
            self.total.total_seconds() / self.times,
            self.longest.total_seconds(),
            self.waited.total_seconds() / self.times,
        )


def _with_few_nodes(principal: Principal, now: datetime) -> dict[UUID, Run]:
    """The newest ended runs, as far as their nodes are not too many to read."""
    rows = queries.runs(principal).filter(id__gte=_first_id(now - WINDOW)).order_by("-id")
    chosen, nodes = {}, 0
    for run in rows[:ENDED]:
        nodes += len(queries.plan_of(run.version_id).nodes)
        if nodes > NODES:
            break
        if RunState(run.state) in TERMINAL_RUN:
            chosen[run.pk] = run
    return chosen
