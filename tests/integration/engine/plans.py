"""Plans without documents: the engine's tests are about rows, not about YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from celesta.access.models import Workspace
from celesta.graph.gates import ACCEPTS_FAILURE, EARLY_RULES
from celesta.graph.plan import NONE, Gate, Plan, PlanNode, Retry, Rule
from celesta.workflows import publishing
from celesta.workflows.models import Workflow, WorkflowVersion

Edges = Mapping[str, Sequence[str]]


def plan_of(
    edges: Edges,
    *,
    rules: Mapping[str, Rule] | None = None,
    queues: Mapping[str, str] | None = None,
    configs: Mapping[str, Mapping[str, Any]] | None = None,
    retry: Retry | None = None,
    name: str = "test.plan",
) -> Plan:
    """A plan from ``{node: its needs}``, in topological order, with its ``end``."""
    rules, queues, configs = rules or {}, queues or {}, configs or {}
    index = {node: i for i, node in enumerate(edges)}
    # A node counted by early gates alone may still run when its children have ended.
    sinks = [
        n
        for n in edges
        if all(
            rules.get(child, "all_success") in EARLY_RULES
            for child, needs in edges.items()
            if n in needs
        )
    ]
    wanted: dict[tuple[frozenset[str], Rule], list[int]] = {}
    for node, needs in edges.items():
        if needs:
            wanted.setdefault((frozenset(needs), rules.get(node, "all_success")), []).append(
                index[node]
            )
    gates = [
        Gate(i, rule, tuple(sorted(index[n] for n in ups)), tuple(nodes))
        for i, ((ups, rule), nodes) in enumerate(wanted.items())
    ]
    end_gate = Gate(len(gates), "all_done", tuple(sorted(index[n] for n in sinks)), (len(edges),))
    gates.append(end_gate)
    nodes = [
        PlanNode(
            index=index[node],
            name=node,
            type="transform",
            config=configs.get(node, {"output": None}),
            queue=queues.get(node, "default"),
            retry=retry or Retry(),
            gate=next((g.index for g in gates if index[node] in g.nodes), NONE),
            feeds=tuple(g.index for g in gates if index[node] in g.upstreams),
            handled=any(
                node in needs and rules.get(child, "all_success") in ACCEPTS_FAILURE
                for child, needs in edges.items()
            ),
        )
        for node in edges
    ]
    end = PlanNode(
        len(nodes), "end", "end", config={"output": None}, gate=end_gate.index, auto=True
    )
    return Plan(name, (*nodes, end), tuple(gates))


def with_map(plan: Plan, node: str, body_queue: str = "default") -> Plan:
    """The plan with one node turned into a map whose body takes the place before ``end``."""
    nodes = list(plan.nodes)
    end = nodes.pop()
    at = next(n.index for n in nodes if n.name == node)
    body = PlanNode(len(nodes), f"{node}.do", "transform", config={"output": None}, body_of=at)
    nodes[at] = replace(nodes[at], type="map", body=body.index)
    moved = replace(end, index=end.index + 1)
    gates = tuple(
        replace(g, nodes=(moved.index,)) if g.nodes == (end.index,) else g for g in plan.gates
    )
    return replace(plan, nodes=(*nodes, replace(body, queue=body_queue), moved), gates=gates)


def with_undo(plan: Plan, *undone: str) -> Plan:
    """The plan with a compensation ``undo_<node>`` for each of these nodes, before ``end``."""
    nodes = list(plan.nodes)
    end = nodes.pop()
    at = {node.name: node.index for node in nodes}
    for name in undone:
        nodes.append(
            PlanNode(
                len(nodes), f"undo_{name}", "transform", config={"output": None},
                compensates=at[name],
            )
        )  # fmt: skip
    moved = replace(end, index=len(nodes))
    gates = tuple(
        replace(g, nodes=(moved.index,)) if g.nodes == (end.index,) else g for g in plan.gates
    )
    return replace(plan, nodes=(*nodes, moved), gates=gates)


def publish_plan(plan: Plan) -> WorkflowVersion:
    """Store a plan as the next version of its workflow."""
    workspace, _ = Workspace.objects.get_or_create(slug="default", defaults={"name": "Default"})
    workflow, _ = Workflow.objects.get_or_create(workspace=workspace, name=plan.workflow)
    version = WorkflowVersion.objects.create(
        workflow=workflow,
        number=workflow.versions.count() + 1,
        checksum="",
        source="",
        document={},
        plan_json=plan.to_json(),
    )
    publishing._insert_plan_rows(version)
    return version
