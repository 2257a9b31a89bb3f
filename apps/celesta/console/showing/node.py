"""What the panel of one node run shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404

from celesta.artifacts.models import Artifact
from celesta.console.showing.run import (
    ROWS,
    Counts,
    artifacts_of,
    described,
    items_of,
)
from celesta.console.showing.times import between
from celesta.graph.plan import NONE, Plan, PlanNode
from celesta.runs import queries
from celesta.runs.models import Event, Expansion, Item, NodeRun, Output, Run
from celesta.runs.states import TERMINAL_RUN, NodeState, RunState

#: Attempts shown; a node with more is in trouble that the last ones tell.
HISTORY = 60


@dataclass(frozen=True, slots=True)
class NodePanel:
    """One node run with everything known about it."""

    run: Run
    node: PlanNode
    row: NodeRun
    #: The name under which the document has it (a map's, for the body of a map); of the end, none.
    written_as: str
    worker: str
    lasted: str
    waited: str
    output: Any
    error: Any
    item: Any
    has_item: bool
    history: Sequence[Mapping[str, Any]]
    artifacts: Sequence[Artifact]
    items: Counts
    #: One page of a map's items, and the scope after which the next one begins.
    item_rows: Sequence[Mapping[str, Any]]
    more: int | None

    @property
    def may_skip(self) -> bool:
        """True while it can be skipped."""
        is_open = self.run.state in (RunState.PENDING, RunState.RUNNING, RunState.PAUSED)
        waits = self.row.state in (NodeState.READY, NodeState.WAITING)
        return is_open and waits and self.node.type != "end"

    @property
    def may_rerun(self) -> bool:
        """True when the run can be run again from here."""
        forward = self.node.type != "end" and self.node.body_of == self.node.compensates == NONE
        return self.run.state in TERMINAL_RUN and self.row.scope == 0 and forward

    @property
    def query(self) -> str:
        """Names this node run in the query string of a download."""
        return f"?scope={self.row.scope}&node={self.row.node}"


def panel(
    run: Run, scope: int, index: int, now: datetime, *, state: str = "", after: int = -1
) -> NodePanel:
    """Read a node run; ``state`` and ``after`` page through the items of a map. Raises Http404."""
    plan = queries.plan_of(run.version_id)
    row = queries.node_runs(run.pk).filter(scope=scope, node=index).first()
    if row is None or index >= len(plan.nodes):
        raise Http404(f"This run has no node {index} in scope {scope}.")
    node = plan.nodes[index]
    output = queries.outputs_of(run.pk, [row]).get((scope, index))
    item = Item.objects.filter(run_id=run.pk, scope=scope).first() if scope else None
    rows, more = _items(run, plan, row, now, state, after)
    return NodePanel(
        run=run,
        node=node,
        row=row,
        written_as="" if node.type == "end" else _owner(plan, node).name,
        worker=queries.workers_of([row]).get(row.slot or 0, ""),
        lasted=between(row.started_at, row.finished_at, now),
        waited=between(row.ready_at, row.started_at, now),
        output=output.value if output else None,
        error=output.error if output else None,
        item=item.value if item else None,
        has_item=item is not None,
        history=_history(run, plan, row),
        artifacts=list(_artifacts(row)[:ROWS]),
        items=items_of(run.pk, plan).get(index, {}) if node.body != NONE else {},
        item_rows=rows,
        more=more,
    )


def _owner(plan: Plan, node: PlanNode) -> PlanNode:
    return plan.nodes[node.body_of] if node.body_of != NONE else node


def _history(run: Run, plan: Plan, row: NodeRun) -> list[Mapping[str, Any]]:
    events = Event.objects.filter(run_id=run.pk, scope=row.scope, node=row.node).order_by("-id")
    return [described(event, plan) for event in events[:HISTORY]]


def _artifacts(row: NodeRun) -> QuerySet[Artifact]:
    return artifacts_of(row.run_id).filter(scope=row.scope, node=row.node)


def _items(
    run: Run, plan: Plan, row: NodeRun, now: datetime, state: str, after: int
) -> tuple[list[Mapping[str, Any]], int | None]:
    node = plan.nodes[row.node]
    expansion = Expansion.objects.filter(run_id=run.pk, scope=row.scope, node=row.node).first()
    if node.body == NONE or expansion is None:
        return [], None
    first = expansion.first_scope
    rows = NodeRun.objects.filter(
        run_id=run.pk, node=node.body, scope__gt=max(after, first - 1),
        scope__lt=first + expansion.total,
    ).order_by("scope")  # fmt: skip
    if state in frozenset(NodeState):  # anything else is no state, and shows them all
        rows = rows.filter(state=state)
    found = list(rows[: ROWS + 1])
    page = found[:ROWS]
    outputs = queries.outputs_of(run.pk, page)
    values = {i.scope: i.value for i in Item.objects.filter(
        run_id=run.pk, scope__in=[r.scope for r in page])}  # fmt: skip
    shown = [
        _item(r, first, values.get(r.scope), outputs.get((r.scope, r.node)), now) for r in page
    ]
    return shown, page[-1].scope if len(found) > ROWS else None


def _item(
    row: NodeRun, first: int, value: Any, output: Output | None, now: datetime
) -> Mapping[str, Any]:
    return {
        "row": row,
        "index": row.scope - first,
        "value": value,
        "lasted": between(row.started_at, row.finished_at, now),
        "error": output.error if output else None,
    }
