"""How two versions of a workflow differ: by node, and as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from celesta.workflows.exporting import as_yaml
from celesta.workflows.models import WorkflowVersion


@dataclass(frozen=True, slots=True)
class Difference:
    """``text`` is a unified diff of the normalised documents as YAML, empty when they are equal."""

    before: int
    after: int
    added: list[str]
    removed: list[str]
    changed: list[str]
    text: str


def difference(before: WorkflowVersion, after: WorkflowVersion) -> Difference:
    """What has to be done to ``before`` to get ``after``."""
    old, new = _nodes(before), _nodes(after)
    return Difference(
        before=before.number,
        after=after.number,
        added=[name for name in new if name not in old],
        removed=[name for name in old if name not in new],
        changed=[name for name in new if name in old and new[name] != old[name]],
        text=_text(before, after),
    )


def _nodes(version: WorkflowVersion) -> Mapping[str, Any]:
    nodes: Mapping[str, Any] = version.document.get("nodes", {})
    return nodes


def _text(before: WorkflowVersion, after: WorkflowVersion) -> str:
    name = after.workflow.name
    lines = unified_diff(
        as_yaml(before).splitlines(keepends=True),
        as_yaml(after).splitlines(keepends=True),
        fromfile=f"{name} v{before.number}",
        tofile=f"{name} v{after.number}",
    )
    return "".join(lines)
