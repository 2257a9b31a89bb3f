"""One message's stay in a slot: run, report, go on with what became ready, hand back in time."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from celesta import conf
from celesta.artifacts.store import NodeArtifacts
from celesta.engine import canvas
from celesta.engine.plans import LoadedPlan
from celesta.graph.plan import NONE, PlanNode
from celesta.runs.calls import Claim, Claimed, Completion, Report, Sent
from celesta.runs.connection import one, rows
from celesta.runs.outcomes import Expand, Foreign, Succeeded, Wait
from celesta_worker import foreign, monitor
from celesta_worker.async_batch import AsyncBatch
from celesta_worker.carrier import Carrier
from celesta_worker.context import NodeContext
from celesta_worker.execute import PreparedPlan, execute
from celesta_worker.finish import Finished
from celesta_worker.interrupts import Interruptible, NodeInterrupted
from celesta_worker.pace import SLOW, Durations, Pace
from celesta_worker.page import SlotPage
from celesta_worker.reset import reset_between_nodes
from celesta_worker.slots import Slot
from celesta_worker.verdict import report_for

#: Async nodes that one slot keeps in flight.
IN_FLIGHT = 100
#: Items of a map written in one transaction.
CHUNK = 2000

durations = Durations()
_prepared: WeakKeyDictionary[LoadedPlan, PreparedPlan] = WeakKeyDictionary()

Key = tuple[int, int]


def prepared_plan(loaded: LoadedPlan) -> PreparedPlan:
    """The plan with everything done that does not depend on a run; once for each loaded plan."""
    found = _prepared.get(loaded)
    if found is None:
        found = _prepared[loaded] = PreparedPlan(loaded.plan)
    return found


class Guarded(Interruptible):
    """Around a body: the keeper sees it, with its deadline, and may interrupt it."""

    __slots__ = ("page",)

    def __init__(self, page: SlotPage, deadline: float) -> None:
        super().__init__(deadline)
        self.page = page

    def __enter__(self) -> None:
        self.page.enter(self.deadline)
        super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.page.leave()

    def is_meant(self) -> bool:
        """True when the keeper asked this body to end."""
        return self.page.is_asked


class Lane:
    """Runs what was claimed, reports it, and goes on until nothing is left or it must hand back."""

    def __init__(
        self, slot: Slot, loaded: LoadedPlan, run: str, claim: Claim, carrier: Carrier
    ) -> None:
        self.slot, self.loaded, self.run, self.carrier = slot, loaded, run, carrier
        self.prepared = prepared_plan(loaded)
        self.pending: deque[Claimed] = deque(claim.claimed)
        self.wave = claim.wave if claim.wave_left else None
        self.reports: list[Report] = []
        self.foreign: list[tuple[Claimed, Foreign]] = []
        self.ended_at: list[tuple[float, float]] = []
        self.pace = Pace(conf.get("LANE_BUDGET"))
        self.batch: AsyncBatch[Key] = AsyncBatch(IN_FLIGHT)
        self.in_flight: dict[Key, Claimed] = {}
        self.handed_back: list[Claimed] = []
        self.began = self.flushed = time.monotonic()
        self.over = False
        self.started_at = ""

    def work(self) -> None:
        """Until the slot is idle again."""
        while not self.over:
            self._turn()

    def _turn(self) -> None:
        self._run_pending()
        if self.in_flight:
            self._take_async(timeout=0.05)
        if not self.over and (self.reports or not self.in_flight):
            self._flush()

    # -- running

    def _run_pending(self) -> None:
        while self.pending and not self.over:
            if self.reports and self._leave():
                return
            claimed = self.pending[0]
            if self.reports and durations.may_be_long(self.loaded.version, claimed.node):
                self._flush()  # what has ended must not wait for a node that may take long
                continue
            prepared = self.prepared[claimed.node]
            if prepared.is_async:
                if not self.batch.free or (self.in_flight and self._is_limited(claimed.node)):
                    return
                self._start_async(self.pending.popleft())
                continue
            self.pending.popleft()
            self.slot.page.begin()
            seconds = self._run(claimed)
            if self.slot.page.is_relieved:
                # That took long, and the keeper has given the rest to others (or was about to).
                self.handed_back += self.pending
                self.pending.clear()
            is_time = seconds > SLOW or time.monotonic() - self.flushed > self.pace.budget
            if is_time and (self.pending or self.in_flight):
                self._flush()

    def _run(self, claimed: Claimed) -> float:
        node = self.loaded.plan.nodes[claimed.node]
        context = self._context(node, claimed)
        began = time.monotonic()
        try:
            finished = execute(self.prepared[claimed.node], context, guard=self._guard)
        except NodeInterrupted:
            self.handed_back.append(claimed)  # the run is being cancelled: nothing to report
            return 0.0
        ended = time.monotonic()
        self._ended(claimed, finished, began, ended)
        reset_between_nodes()
        return ended - began

    def _guard(self, context: NodeContext) -> Guarded:
        deadline = time.monotonic() + context.timeout if context.timeout else 0.0
        return Guarded(self.slot.page, deadline)

    def _start_async(self, claimed: Claimed) -> None:
        key = (claimed.scope, claimed.node)
        self.slot.page.begin()
        self.in_flight[key] = claimed
        node = self.loaded.plan.nodes[claimed.node]
        self.batch.start(key, self.prepared[claimed.node], self._context(node, claimed))

    def _take_async(self, timeout: float) -> None:
        for done in self.batch.take(timeout):
            claimed = self.in_flight.pop(done.key)
            if done.finished is None:
                self.handed_back.append(claimed)
                continue
            ended = time.monotonic()
            self._ended(claimed, done.finished, ended - done.seconds, ended)

    def _ended(self, claimed: Claimed, finished: Finished, began: float, ended: float) -> None:
        durations.learn(self.loaded.version, claimed.node, ended - began)
        node = self.loaded.plan.nodes[claimed.node]
        outcome = finished.outcome
        if isinstance(outcome, Expand):
            items = orjson.loads(finished.encoded or "[]")
            if items:
                self._expand(claimed, outcome, items)
                monitor.expanded(self.loaded, self.run, claimed, began)
                return
            finished = Finished(Succeeded([]), "[]")
        elif isinstance(outcome, Wait) and outcome.until is not None:
            # The database's clock decides how long that still is.
            (seconds,) = one(
                "SELECT extract(epoch FROM %s::timestamptz - clock_timestamp())::float8",
                (outcome.until,),
            )
            finished = replace(finished, outcome=replace(outcome, seconds=seconds))
        elif isinstance(outcome, Foreign):
            self.foreign.append((claimed, outcome))
        self.reports.append(
            report_for(finished, node, claimed, began=began, ended=ended, rand=random.random())  # noqa: S311
        )
        self.ended_at.append((began, ended))

    def _expand(self, claimed: Claimed, outcome: Expand, items: list[Any]) -> None:
        if self.reports:
            self._flush(keep=0, extra_rest=(claimed,))
        answer, sent = self.slot.expand(
            self.run,
            claimed,
            [orjson.dumps(item).decode() for item in items],
            chunk=CHUNK,
            tolerate=outcome.tolerate,
            max_parallel=outcome.max_parallel,
            rest=self._rest(),
        )
        if answer != "going":
            self.over = answer != "refused"
        self._publish(sent)

    def _context(self, node: PlanNode, claimed: Claimed) -> NodeContext:
        return NodeContext(
            run_id=self.run,
            workflow=self.loaded.workflow,
            version=self.loaded.number,
            node=node.name,
            attempt=claimed.attempt,
            losses=claimed.losses,
            idempotency_key=f"{self.run}:{claimed.scope}:{claimed.node}",
            scope=self._scope(node, claimed.inputs),
            timeout=node.timeout,
            artifacts=NodeArtifacts(
                run_id=self.run,
                scope=claimed.scope,
                node=claimed.node,
                node_name=node.name,
                attempt=claimed.attempt,
                workspace_id=self.loaded.workspace,
            ),
        )

    def _scope(self, node: PlanNode, inputs: Mapping[str, Any] | None) -> dict[str, Any]:
        run = {"id": self.run, "workflow": self.loaded.workflow, "version": self.loaded.number}
        if node.uses_start:
            run["started_at"] = self._started_at()
        scope: dict[str, Any] = {"run": run, "nodes": {}, "params": {}, "vars": {}}
        if node.uses_vars:
            scope["vars"] = dict(
                rows(
                    "SELECT name, value FROM celesta_variable WHERE workspace_id = %s::bigint",
                    (self.loaded.workspace,),
                )
            )
        if inputs is None:
            return scope
        names = self.loaded.plan.nodes
        scope["nodes"] = {names[int(i)].name: value for i, value in inputs["nodes"].items()}
        scope["params"] = inputs["params"] or {}
        if node.body_of != NONE:
            scope["item"], scope["index"] = inputs["item"], inputs["item_at"]
        return scope

    def _started_at(self) -> str:
        """When the run's first node was claimed: ISO 8601, in UTC."""
        if not self.started_at:
            (at,) = one("SELECT started_at FROM celesta_run WHERE id = %s::uuid", (self.run,))
            self.started_at = at.astimezone(UTC).isoformat()
        return self.started_at

    # -- reporting

    def _rest(self) -> list[Claimed]:
        """What stays ours over a report, those already begun first (the page counts them)."""
        return [*self.in_flight.values(), *self.pending]

    def _leave(self) -> bool:
        """True when the lane must hand back: on shutdown, for others who wait, or after long."""
        page, stay = self.slot.worker_page, time.monotonic() - self.began
        if page.stopping:
            return True
        return stay > self.pace.budget and (page.backlog > 0 or stay > conf.get("LANE_HANDBACK"))

    def _flush(self, keep: int | None = None, extra_rest: tuple[Claimed, ...] = ()) -> None:
        """Report what has ended; claim the next; or, when it is time, hand everything back."""
        leave = keep is None and self._leave()
        if leave and any(self._is_limited(held.node) for held in self.in_flight.values()):
            # Its place in the map is taken until it ends: nobody else may have our lane before.
            leave, keep = False, 0
        now = time.monotonic()
        reports = [
            replace(report, began=now - began, ended=now - ended)
            for report, (began, ended) in zip(self.reports, self.ended_at, strict=True)
        ]
        back = [*self.handed_back, *(self.pending if leave else ())]
        if leave:
            self.pending.clear()
        self._measure(now)
        rest = [*self.in_flight.values(), *extra_rest, *self.pending]
        completion = self.slot.complete(
            self.run,
            reports,
            rest=rest,
            back=back,
            keep=0 if leave else self._keep(reports) if keep is None else keep,
            wave=self.wave,
            leave=leave,
            begun=len(self.in_flight) + len(extra_rest),
        )
        self._after(completion, reports, leave=leave, rest=bool(rest))

    def _measure(self, now: float) -> None:
        self.pace.measured(len(self.reports), now - self.flushed)
        self.reports, self.ended_at, self.handed_back = [], [], []

    def _keep(self, reports: list[Report]) -> int:
        """How many more nodes to hold after this report."""
        held = len(self.pending) + len(self.in_flight)
        if any(self._is_limited(r.node) and r.state == "waiting" for r in reports):
            return max(0, 1 - held)  # it runs elsewhere: each of its like takes a place of the map
        if self.in_flight or (reports and self.prepared[reports[-1].node].is_async):
            limited = any(self._is_limited(r.node) for r in reports)
            return max(0, (1 if limited else IN_FLIGHT) - held)
        after = {child for r in reports for child in self.loaded.children[r.node]}
        if self.wave is not None:
            after |= {r.node for r in reports}
        return max(0, self.pace.take(durations.longest(self.loaded.version, after)) - held)

    def _is_limited(self, node: int) -> bool:
        """True for the items of a map with a limit: of these a slot runs one at a time."""
        nodes = self.loaded.plan.nodes
        owner = nodes[node].body_of
        return owner != NONE and nodes[owner].config.get("max_parallel") is not None

    def _after(
        self, completion: Completion, reports: list[Report], *, leave: bool, rest: bool
    ) -> None:
        self.flushed = time.monotonic()
        refused = set(completion.refused)
        monitor.finished(
            self.loaded, self.run, [r for r in reports if (r.scope, r.node) not in refused]
        )
        for claimed, outcome in self.foreign:
            if (claimed.scope, claimed.node) not in refused:
                foreign.send(self.run, claimed, outcome)
        self.foreign = []
        if completion.answer != "going":
            self.over = True  # the run is over, or our lease was: what we hold is not ours
            self.batch.cancel()
            return
        self.pending.extend(completion.claimed)
        if not completion.wave_left:
            self.wave = None
        self.over = not (rest or completion.claimed or completion.wave_left) or (leave and not rest)
        self._publish(completion.sent)

    def _publish(self, sent: tuple[Sent, ...]) -> None:
        # What the message itself carries on is left to Celery, but only when it returns now.
        own = self.carrier.leave_to_celery(sent) if self.over else sent
        canvas.publish(self.loaded.plan, own)
