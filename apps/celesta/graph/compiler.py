"""From the author's document to the frozen plan, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from celesta.graph import (
    build,
    collector,
    configs,
    lint,
    needs,
    params_schema,
    spec,
    topology,
    values,
)
from celesta.graph.build import Checked
from celesta.graph.checks import Checker
from celesta.graph.document_form import checksum, normalise
from celesta.graph.findings import Findings, Placing, bounded_suggestions
from celesta.graph.node_types import Registry
from celesta.graph.node_types import registry as all_node_types
from celesta.graph.plan import Plan
from celesta.graph.problems import Problem


@dataclass(frozen=True, slots=True)
class Compiled:
    """The result of a compilation; ``plan`` is None when an error (not only warnings) was found."""

    plan: Plan | None
    #: The document in its normal form (see ``document_form``).
    document: dict[str, Any]
    #: SHA-256 (hex) of the normal form.
    checksum: str
    problems: list[Problem]


@collector.paused()
def compile_document(
    data: Mapping[str, Any],
    *,
    positions: Placing | None = None,
    registry: Registry = all_node_types,
    variables: Collection[str] | None = None,
) -> Compiled:
    """Check a whole document and compile it. Never raises for what an author may write.

    ``variables`` are the names that exist under ``vars`` (and, as ``secrets.<name>`` and
    ``connections.<name>``, under those roots); None leaves ``vars`` unchecked.
    """
    findings = Findings(positions)
    values.check(data, findings)
    if findings.failed:
        return Compiled(None, {}, "", findings.problems)
    with bounded_suggestions():
        checked = _check(data, registry, variables, findings)
    document = normalise(data) if isinstance(data, Mapping) else {}
    plan = None if findings.failed else build.plan(checked)
    return Compiled(plan, document, checksum(document), findings.problems)


def _check(
    data: Mapping[str, Any],
    registry: Registry,
    variables: Collection[str] | None,
    findings: Findings,
) -> Checked:
    document = spec.read(data, findings)
    edges = needs.read(document, findings)
    sorted_ = topology.sort(edges)
    topology.report_cycles(document, edges, sorted_, findings)
    bodies = _bodies(document, findings)
    every = [*document.nodes.values(), *bodies.values()]
    checker = Checker(document, edges, sorted_, registry, variables, findings)
    found = checker.check(bodies)
    params_schema.check(document.params, findings)
    lint.check(document, edges, sorted_, found.conditions, found.uses, findings)
    return Checked(
        spec=document,
        topology=sorted_,
        bodies=bodies,
        configs={node.name: configs.check(node, registry, findings) for node in every},
        conditions=found.conditions,
        uses=found.uses,
        waiting_types=configs.waiting_types(registry),
    )


def _bodies(document: spec.Spec, findings: Findings) -> dict[str, spec.NodeSpec]:
    found = {}
    for node in document.nodes.values():
        body = spec.read_body(node, findings) if node.type == needs.MAP else None
        if body is not None and body.type == needs.MAP:
            message = "The body of a map cannot be a map itself."
            hint = "Flatten the list first, or map over it in a sub-workflow."
            findings.error("invalid_config", (*body.path, "type"), message, hint)
        if body is not None:
            found[node.name] = body
    return found
