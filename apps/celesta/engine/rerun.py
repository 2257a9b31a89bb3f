"""Run again what has ended, keeping what need not run again; and begin in the middle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from uuid_utils.compat import uuid7

from celesta.access.principals import Principal
from celesta.engine import plans
from celesta.engine.params import checked_params
from celesta.engine.start import Started, check_active, digest_of, write
from celesta.graph.keeping import Kept, forward, kept_before, kept_of, read_by
from celesta.graph.plan import Plan
from celesta.graph.problems import Problem
from celesta.runs import transitions
from celesta.runs.calls import Begun, KeptNodes, NewRun
from celesta.runs.errors import NothingToRerun, RerunInvalid, RunNotFinished
from celesta.runs.models import NodeRun, Run
from celesta.runs.states import RunState, is_terminal
from celesta.workflows.models import WorkflowVersion


class Mode(StrEnum):
    """What of a run runs again."""

    ALL = "all"
    FAILED = "failed"
    NODES = "nodes"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Names of the nodes of the forward pass: which a rerun would run, and which it would keep."""

    again: list[str]
    kept: list[str]


def rerun_run(
    run: Run,
    *,
    principal: Principal,
    mode: Mode = Mode.FAILED,
    nodes: Sequence[str] = (),
    outputs: Mapping[str, Any] | None = None,
    version: WorkflowVersion | None = None,
    params: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
    trigger: str = "api",
    trigger_ref: str = "",
) -> Started:
    """A new run of the same workflow that keeps what ``run`` came to.

    ``failed``: whatever neither succeeded nor was skipped runs again, with all that comes after it.
    ``nodes``: the nodes of these names besides. ``all``: everything. A node runs again, too, when
    ``version`` (by default the run's own) defines it otherwise or its compensation ran. ``outputs``
    are given instead of running the nodes of these names. ``params`` are by default the run's own.

    Raises RerunInvalid, RunNotFinished, NothingToRerun, and what a start raises.
    """
    version = version or run.version
    outputs = dict(outputs or {})
    check_active(version)
    plan = plans.of_version(version).plan
    given_params = checked_params(
        plan.params_schema, dict(run.params if params is None else params)
    )
    kept = _kept(run, plan, version, mode, nodes, outputs)
    new = NewRun(
        id=uuid7(),
        workspace=run.workspace_id,
        workflow=run.workflow_id,
        version=version.pk,
        params=given_params,
        key=idempotency_key,
        digest=digest_of(
            run.workflow_id, given_params, str(run.pk), mode, sorted(nodes), version.number, outputs
        ),
        trigger=trigger,
        trigger_ref=trigger_ref,
        by=principal.name,
        deadline=plan.timeout,
    )
    return write(new, version, plan, partial(_begin, run=run, kept=kept, plan=plan, given=outputs))


def foresee(
    run: Run,
    *,
    mode: Mode = Mode.FAILED,
    nodes: Sequence[str] = (),
    outputs: Mapping[str, Any] | None = None,
    version: WorkflowVersion | None = None,
) -> Foreseen:
    """What `rerun_run` would run again, without doing it. Raises what it raises for these."""
    version = version or run.version
    plan = plans.of_version(version).plan
    kept = {k.node for k in _kept(run, plan, version, mode, nodes, dict(outputs or {}))}
    return Foreseen(
        again=[node.name for node in forward(plan) if node.index not in kept],
        kept=[node.name for node in forward(plan) if node.index in kept],
    )


def start_at(
    version: WorkflowVersion,
    params: Mapping[str, Any],
    *,
    nodes: Sequence[str],
    outputs: Mapping[str, Any],
    principal: Principal,
    idempotency_key: str | None = None,
    trigger: str = "api",
) -> Started:
    """Start in the middle: these nodes and all that comes after them run, the rest does not.

    What does not run counts as succeeded, with its output of ``outputs``; an output that somebody
    reads must be given. Raises RerunInvalid, and what a start raises.
    """
    check_active(version)
    plan = plans.of_version(version).plan
    checked = checked_params(plan.params_schema, dict(params))
    chosen = _indexes(plan, "start_at", nodes)
    kept = kept_before(plan, chosen)
    open_to = [plan.nodes[k.node].name for k in kept]
    _refuse([*_unknown("outputs", outputs, open_to), *_missing(plan, kept, outputs)])
    new = NewRun(
        id=uuid7(),
        workspace=version.workflow.workspace_id,
        workflow=version.workflow_id,
        version=version.pk,
        params=checked,
        key=idempotency_key,
        digest=digest_of(version.workflow_id, checked, sorted(nodes), dict(outputs)),
        trigger=trigger,
        by=principal.name,
        deadline=plan.timeout,
    )
    return write(new, version, plan, partial(_begin, run=None, kept=kept, plan=plan, given=outputs))


def _kept(
    run: Run,
    plan: Plan,
    version: WorkflowVersion,
    mode: Mode,
    nodes: Sequence[str],
    outputs: Mapping[str, Any],
) -> list[Kept]:
    if mode is Mode.ALL:
        _refuse(_unknown("outputs", outputs, []))
        return []
    if not is_terminal(RunState(run.state)):
        raise RunNotFinished
    chosen = _indexes(plan, "nodes", nodes) if mode is Mode.NODES else []
    _refuse(_unknown("outputs", outputs, [n.name for n in forward(plan)]))
    given = [plan.by_name()[name].index for name in outputs]
    _refuse(
        Problem("runs_again", f"outputs.{plan.nodes[i].name}", "This node is to run again.",
                "Give an output, or run the node.")
        for i in sorted({*given} & {*chosen})
    )  # fmt: skip
    old = plans.of_version(run.version).plan
    rows = NodeRun.objects.filter(run_id=run.pk, scope=0).values_list("node", "state", "attempt")
    states = {node: state for node, state, _ in rows}
    undone = {
        old.nodes[node].compensates
        for node, _, attempt in rows
        if old.nodes[node].compensates >= 0 and attempt > 0
    }
    kept = kept_of(old, plan, states, chosen=chosen, undone=undone, given=given)
    everything = len(kept) == len(forward(plan)) and version.pk == run.version_id
    if everything and not given and run.state == RunState.SUCCEEDED:
        raise NothingToRerun
    return kept


def _begin(
    new: NewRun,
    *,
    run: Run | None,
    kept: Sequence[Kept],
    plan: Plan,
    given: Mapping[str, Any],
) -> Begun:
    names = plan.by_name()
    return transitions.rerun(
        new,
        KeptNodes(
            of=run.pk if run else None,
            nodes=[k.node for k in kept],
            old=[k.old for k in kept],
            states=[k.state for k in kept],
            given={names[name].index: value for name, value in given.items()},
        ),
    )


def _indexes(plan: Plan, path: str, names: Sequence[str]) -> list[int]:
    """Nodes by name; raises RerunInvalid for those that cannot be begun at, and for none."""
    known = {node.name: node.index for node in forward(plan)}
    if not names:
        raise RerunInvalid(
            problems=[Problem("required", path, "Name at least one node to begin at.")]
        )
    _refuse(
        Problem(
            "unknown_node", f"{path}[{i}]", f"There is no node {name!r} to begin at.", _hint(known)
        )
        for i, name in enumerate(names)
        if name not in known
    )
    return [known[name] for name in names]


def _unknown(path: str, outputs: Mapping[str, Any], known: Sequence[str]) -> list[Problem]:
    """Outputs for nodes that do not exist, or that run."""
    return [
        Problem(
            "unknown_node",
            f"{path}.{name}",
            f"No output of {name!r} can be given here.",
            _hint(known),
        )
        for name in outputs
        if name not in known
    ]


def _missing(plan: Plan, kept: Sequence[Kept], outputs: Mapping[str, Any]) -> list[Problem]:
    """Outputs that nodes which run are going to read, and that nobody gave."""
    readers = read_by(plan, {k.node for k in kept})
    return [
        Problem(
            "output_missing",
            f"outputs.{plan.nodes[node].name}",
            f"Its output is read by {', '.join(sorted(set(names)))} and must be given.",
            "Give null if there is none.",
        )
        for node, names in sorted(readers.items())
        if plan.nodes[node].name not in outputs
    ]


def _hint(known: Iterable[str]) -> str:
    names = sorted(known)
    return f"Known: {', '.join(names[:20])}." if names else ""


def _refuse(problems: Iterable[Problem]) -> None:
    found = list(problems)
    if found:
        raise RerunInvalid(problems=found)
