"""What a run would do with these params, as far as that can be known before it runs.

Nothing is written and no node's code is run. Of every node that runs it is assumed that it
succeeds; what it answers is known only of types that say so (``foretell``: transform, branch, map).
What hangs on an answer that is not known is told as such, together with what it hangs on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from celesta.access.models import Workspace
from celesta.engine import plans, settling
from celesta.engine.params import checked_params
from celesta.graph.gates import EARLY_RULES
from celesta.graph.node_types import Registry, registry
from celesta.graph.plan import NONE, Gate, Plan, PlanNode
from celesta.graph.possible import End, Ends, verdicts
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.runs.outcomes import Expand, Failed, Skipped, Succeeded
from celesta.vault import variables as vault
from celesta.workflows import publishing
from celesta.workflows.models import WorkflowVersion
from celesta.workflows.publishing import Format, Source
from celesta.workflows.surroundings import unheard_queues

#: runs: it will. skipped, fails: it will be, it will. depends: it may run. undo: only if the node
#: that it compensates has to be undone.
Fate = Literal["runs", "skipped", "fails", "depends", "undo"]

#: Bytes of JSON up to which an answer or a config is worked with and shown.
SHOWN: Final = 20_000
#: Seconds after which nothing more is evaluated: what is left depends on what is not known.
LONGEST: Final = 5.0
NO_RUN: Final = str(UUID(int=0))

_ONLY: Final[dict[Fate, Ends]] = {
    "runs": frozenset({"succeeded"}),
    "skipped": frozenset({"skipped"}),
    "fails": frozenset({"failed"}),
}


@dataclass(slots=True)
class Step:
    """What becomes of one node. ``config`` and ``output`` are None while ``known`` is false."""

    node: PlanNode
    fate: Fate
    reason: str = ""
    code: str = ""
    #: From 1: nodes of one wave are ready at the same time, when every node takes as long.
    wave: int | None = None
    #: The items of a map, if they are known.
    items: int | None = None
    config: dict[str, Any] | None = None
    output: Any = None
    known: bool = False
    ends: Ends = frozenset()

    @property
    def at(self) -> int | None:
        """The wave in which it will or may run; None when it does not."""
        return self.wave if self.fate in ("runs", "depends") or self.code else None


@dataclass(frozen=True, slots=True)
class DryRun:
    """A run that did not take place: its params with defaults, and its nodes."""

    params: dict[str, Any]
    steps: list[Step] = field(default_factory=list)
    #: Warnings about the document and its surroundings.
    problems: list[Problem] = field(default_factory=list)

    @property
    def waves(self) -> list[list[str]]:
        """Names of the nodes that will or may run, wave by wave; without the end."""
        found: dict[int, list[str]] = {}
        for step in self.steps:
            if step.at is not None:
                found.setdefault(step.at, []).append(step.node.name)
        return [found[wave] for wave in sorted(found)]


def dry_run(
    plan: Plan,
    params: Mapping[str, Any],
    *,
    variables: Mapping[str, Any],
    version: int = 0,
    types: Registry = registry,
) -> DryRun:
    """Go through the plan once; raises ParamsInvalid as a start would."""
    filled = checked_params(plan.params_schema, params)
    run = {
        "id": NO_RUN,
        "workflow": plan.workflow,
        "version": version,
        "started_at": datetime.now(UTC).isoformat(),
    }
    scope = {"params": filled, "vars": dict(variables), "run": run}
    return DryRun(filled, _Foresight(plan, scope, types).steps())


def of_version(version: WorkflowVersion, params: Mapping[str, Any]) -> DryRun:
    """A dry run of a published version, with the warnings that a start would not tell."""
    plan, workflow = plans.of_version(version).plan, version.workflow
    found = unheard_queues(plan)
    if not workflow.active:
        message = f"Workflow {workflow.name} is not active: it refuses to be started."
        found.append(Problem("workflow_inactive", "", message, "Activate it.", "warning"))
    told = dry_run(plan, params, variables=vault.values(workflow.workspace), version=version.number)
    return replace(told, problems=found)


def of_document(
    workspace: Workspace, source: Source, params: Mapping[str, Any], *, fmt: Format | None = None
) -> DryRun:
    """A dry run of a document that is not published; raises DocumentInvalid, ParamsInvalid."""
    compiled = publishing.validate(source, workspace=workspace, fmt=fmt)
    if compiled.plan is None:
        raise DocumentInvalid(compiled.problems)
    told = dry_run(compiled.plan, params, variables=vault.values(workspace))
    return replace(told, problems=compiled.problems)


class _Foresight:
    """One walk over the plan, whose nodes stand after what they need."""

    def __init__(self, plan: Plan, scope: Mapping[str, Any], types: Registry) -> None:
        self._plan, self._scope, self._types = plan, scope, types
        self._steps: dict[int, Step] = {}
        self._deadline = time.monotonic() + LONGEST

    def steps(self) -> list[Step]:
        """The nodes in the order of the plan, without an end that evaluates nothing."""
        for node in self._plan.nodes:
            if node.body_of == NONE and node.compensates == NONE:
                self._steps[node.index] = self._forward(node)
        for node in self._plan.nodes:
            if node.body_of != NONE:
                self._steps[node.index] = self._body(node)
            elif node.compensates != NONE:
                undone = self._plan.nodes[node.compensates].name
                self._steps[node.index] = Step(node, "undo", f"runs only to undo {undone!r}")
        return [self._steps[node.index] for node in self._plan.nodes if not node.auto]

    def _forward(self, node: PlanNode) -> Step:
        if node.gate == NONE:
            return self._own(node, 1)
        gate = self._plan.gates[node.gate]
        told = verdicts(gate.rule, (self._steps[up].ends for up in gate.upstreams))
        wave = self._wave(gate)
        if told == {"run"}:
            return self._own(node, wave)
        blocked: set[End] = {"failed"} if "fail" in told else set()
        blocked |= {"skipped"} if "skip" in told else set()
        if "run" not in told:
            fate: Fate = "depends" if len(blocked) > 1 else _fate(blocked)
            return Step(node, fate, self._why(gate, fate), wave=wave - 1, ends=frozenset(blocked))
        step = self._own(node, wave)
        # Its own condition may settle what its gate leaves open.
        if step.fate != "skipped" or blocked != {"skipped"}:
            step.fate, step.reason = "depends", self._why(gate, "depends")
            step.ends |= blocked
            step.known = False
        return step

    def _wave(self, gate: Gate) -> int:
        """One after the last upstream that it waits for; a node that is skipped takes no time."""
        before = [self._steps[up] for up in gate.upstreams]
        if gate.rule in EARLY_RULES:
            wanted: End = "succeeded" if gate.rule == "any_success" else "failed"
            early = [step.wave or 0 for step in before if wanted in step.ends]
            if early:
                return min(early) + 1
        return max((step.wave or 0 for step in before), default=0) + 1

    def _own(self, node: PlanNode, wave: int) -> Step:
        """What its own condition and config say, once its gate is open."""
        unknown = [self._plan.nodes[ref].name for ref in node.refs if not self._is_known(ref)]
        if unknown or time.monotonic() > self._deadline:
            reads = f"reads {', '.join(map(repr, unknown))}" if unknown else ""
            step = Step(node, "runs", reads or "not evaluated: that took too long", wave=wave)
            step.ends = _ONLY["runs"]
            if node.when is not None:
                step.fate, step.ends = "depends", frozenset({"succeeded", "skipped"})
                step.reason = f"its condition or config {step.reason}" if unknown else step.reason
            return step
        return self._evaluated(node, wave)

    def _is_known(self, ref: int) -> bool:
        step = self._steps.get(ref)
        return step is not None and (step.known or step.fate == "skipped")

    def _evaluated(self, node: PlanNode, wave: int) -> Step:
        found = self._types.get(node.type)
        if found is None:
            return Step(node, "fails", f"no node type {node.type!r}", "unknown_node_type", wave)
        nodes = {self._plan.nodes[ref].name: self._record(ref) for ref in node.refs}
        told = settling.settled(node, found, {**self._scope, "nodes": nodes})
        if isinstance(told, Skipped):
            return Step(node, "skipped", told.reason, wave=wave - 1, ends=_ONLY["skipped"])
        if isinstance(told, Failed):
            return _failing(node, told, wave)
        step = Step(node, "runs", wave=wave, ends=_ONLY["runs"])
        step.config = _shown(told.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        foretell = getattr(found, "foretell", None)
        match foretell(told) if foretell else None:
            case Failed() as failed:
                return _failing(node, failed, wave)
            case Succeeded(output=output):
                step.known = _fits(output)
                step.output = output if step.known else None
            case Expand(items=items):
                step.items = len(items)
        return step

    def _record(self, ref: int) -> dict[str, Any]:
        """A node as expressions read it."""
        step = self._steps[ref]
        state = "skipped" if step.fate == "skipped" else "succeeded"
        return {"state": state, "output": step.output, "error": None}

    def _body(self, node: PlanNode) -> Step:
        owner = self._steps[node.body_of]
        step = Step(node, owner.fate, owner.reason, wave=owner.wave, items=owner.items)
        if owner.fate == "runs":
            step.reason = f"once for each item of {owner.node.name!r}"
            if owner.items == 0:
                step.fate, step.reason = "skipped", "there are no items"
        return step

    def _why(self, gate: Gate, fate: Fate) -> str:
        """The upstreams because of which a node may not run."""
        before = [self._steps[up] for up in gate.upstreams]
        if gate.rule == "any_failed" and not any("failed" in step.ends for step in before):
            return "no node before it fails"
        wanted: End = "failed" if fate == "fails" else "skipped"
        names = [repr(step.node.name) for step in before if wanted in step.ends]
        if fate == "depends":
            names = [repr(step.node.name) for step in before if len(step.ends) > 1] or names
            return f"depends on {', '.join(names)}"
        return f"{', '.join(names)} {'fails' if fate == 'fails' else 'is skipped'}"


def _fate(ends: set[End]) -> Fate:
    return "fails" if ends == {"failed"} else "skipped"


def _failing(node: PlanNode, failed: Failed, wave: int) -> Step:
    return Step(node, "fails", failed.message, failed.code, wave, ends=_ONLY["fails"])


def _fits(value: Any) -> bool:
    try:
        return len(orjson.dumps(value)) <= SHOWN
    except (TypeError, ValueError):  # too deep, or no JSON at all: the run will say so
        return False


def _shown(config: dict[str, Any]) -> dict[str, Any] | None:
    return config if _fits(config) else None
