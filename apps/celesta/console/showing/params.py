"""The params of a version, in the order in which their author wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from celesta.graph import documents
from celesta.graph.problems import DocumentInvalid
from celesta.runs.queries import plan_of
from celesta.workflows.models import WorkflowVersion


@lru_cache(maxsize=64)
def schema_of(version_id: int) -> Mapping[str, Any]:
    """The params schema; jsonb forgets the order of its properties, the author's text has it."""
    schema = plan_of(version_id).params_schema
    properties = schema.get("properties") or {}
    source = WorkflowVersion.objects.values_list("source", flat=True).get(pk=version_id)
    order = {name: place for place, name in enumerate(_names(source))}
    names = sorted(properties, key=lambda name: order.get(name, len(order)))
    return {**schema, "properties": {name: properties[name] for name in names}}


def _names(source: str) -> list[str]:
    try:
        params = documents.load(source).data.get("params")
    except DocumentInvalid:  # written for an older release
        return []
    properties = params.get("properties") if isinstance(params, Mapping) else None
    return list(properties) if isinstance(properties, Mapping) else []


def rows_of(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The params as rows: name, type, whether one must give it, default, description."""
    required = schema.get("required") or ()
    return [
        {"name": name, "required": name in required, **_described(sub)}
        for name, sub in (schema.get("properties") or {}).items()
    ]


def _described(sub: Any) -> dict[str, Any]:
    if not isinstance(sub, Mapping):
        return {"type": "any"}
    kind = sub.get("type", "one of some" if "enum" in sub else "any")
    return {
        "type": kind if isinstance(kind, str) else " or ".join(map(str, kind)),
        "has_default": "default" in sub,
        "default": sub.get("default"),
        "description": sub.get("description", ""),
    }
