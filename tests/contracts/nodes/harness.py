"""Running one node as the runner does: from the author's ``with`` block to what is stored."""

from __future__ import annotations

import json
from typing import Any

from celesta.graph.node_types import Registry
from celesta.graph.plan import PlanNode
from celesta.graph.problems import Problem
from celesta.runs.outcomes import Failed, Succeeded
from celesta_worker.context import NodeContext
from celesta_worker.execute import execute, prepare
from celesta_worker.finish import Finished
from celesta_worker.nodes import register_all

types = Registry()
register_all(types)


def a_context(**fields: Any) -> NodeContext:
    known: dict[str, Any] = {
        "run_id": "run-1",
        "workflow": "tests",
        "version": 1,
        "node": "it",
        "idempotency_key": "run-1:it",
        **fields,
    }
    return NodeContext(**known)


def a_node(kind: str, config: dict[str, Any], **fields: Any) -> PlanNode:
    return PlanNode(index=0, name="it", type=kind, config=config, **fields)


def run(
    kind: str, config: dict[str, Any], scope: dict[str, Any] | None = None, **context: Any
) -> Finished:
    """One attempt of a node of type ``kind``."""
    return execute(prepare(a_node(kind, config), types), a_context(scope=scope or {}, **context))


def output(finished: Finished) -> Any:
    """What later nodes see; fails the test when the node did not succeed."""
    assert isinstance(finished.outcome, Succeeded), finished.outcome
    assert finished.encoded is not None
    return json.loads(finished.encoded)


def failure(finished: Finished) -> Failed:
    assert isinstance(finished.outcome, Failed), finished.outcome
    return finished.outcome


def problems(kind: str, config: dict[str, Any]) -> list[Problem]:
    """What publishing says about a ``with`` block."""
    node_type = types.get(kind)
    assert node_type is not None
    return node_type.check(config, "nodes.it.with")


def codes(kind: str, config: dict[str, Any]) -> set[tuple[str, str]]:
    """Code and path of each problem."""
    return {(problem.code, problem.path) for problem in problems(kind, config)}
