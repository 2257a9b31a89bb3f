"""Checks what is written under ``with`` against the node's type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from celesta.graph import paths
from celesta.graph.findings import Findings, did_you_mean
from celesta.graph.node_types import NodeType, Registry
from celesta.graph.paths import Path
from celesta.graph.spec import NodeSpec
from celesta.graph.templates import has_template


def check(node: NodeSpec, registry: Registry, findings: Findings) -> dict[str, Any]:
    """Report what is wrong with a node's type or ``with``; returns ``with`` and its defaults."""
    if not node.type:
        return node.config
    node_type = registry.get(node.type)
    if node_type is None:
        known = [known.name for known in registry]
        message = f"There is no node type {node.type!r}."
        hint = did_you_mean(node.type, known)
        findings.error("unknown_node_type", (*node.path, "type"), message, hint)
        return node.config
    path: Path = (*node.path, "with")
    if _fits_schema(node.config, node_type, path, findings):
        findings.extend(node_type.check(node.config, paths.render(path)))
    return {**_defaults(node_type.Config), **node.config}


def _fits_schema(
    config: Mapping[str, Any], node_type: NodeType, path: Path, findings: Findings
) -> bool:
    try:
        node_type.Config.model_validate(config)
    except ValidationError as error:
        errors = [found for found in error.errors() if not _is_templated(found, config)]
        for found in errors:
            _report(found, config, node_type.Config, path, findings)
        return not errors
    return True


def _is_templated(found: ErrorDetails, config: Mapping[str, Any]) -> bool:
    """True when the faulty value comes from an expression, so that only the run can tell."""
    value: Any = config
    for step in found["loc"]:
        value = _inside(value, step)
        if isinstance(value, str) and "{{" in value:
            return True
    # A validator of a nested value may have stumbled over a template further inside.
    return found["type"] in _BY_VALIDATORS and bool(found["loc"]) and _holds_template(value)


_BY_VALIDATORS = frozenset({"value_error", "assertion_error"})


def _holds_template(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_template(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_template(item) for item in value)
    return has_template(value)


def _inside(value: Any, step: str | int) -> Any:
    """The child of a value; the value itself when the step is only a tag of pydantic's unions."""
    if isinstance(value, dict) and step in value:
        return value[step]
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return value


def _document_path(found: ErrorDetails, config: Mapping[str, Any]) -> Path:
    """Pydantic's location without the steps that are no part of the document."""
    value: Any = config
    steps: list[str | int] = []
    absent = found["type"] in {"missing", "extra_forbidden"}
    for at, step in enumerate(found["loc"]):
        inside = _inside(value, step)
        if inside is not value or (absent and at == len(found["loc"]) - 1):
            steps.append(step)
        value = inside
    return tuple(steps)


def _report(
    found: ErrorDetails,
    config: Mapping[str, Any],
    model: type[BaseModel],
    path: Path,
    findings: Findings,
) -> None:
    where: Path = (*path, *_document_path(found, config))
    last = str(found["loc"][-1]) if found["loc"] else ""
    if found["type"] == "missing":
        findings.error("missing_field", where, f"The field {last!r} is required.")
    elif found["type"] == "extra_forbidden":
        hint = did_you_mean(last, _field_names(model)) if len(found["loc"]) == 1 else ""
        findings.error("unknown_field", where, f"There is no field {last!r} here.", hint)
    else:
        findings.error("invalid_config", where, f"{found['msg']}.")


def _field_names(model: type[BaseModel]) -> list[str]:
    return [known.alias or name for name, known in model.model_fields.items()]


@lru_cache(maxsize=256)
def _defaults(model: type[BaseModel]) -> dict[str, Any]:
    """Defaults of the top-level fields, so that a pinned version keeps those of its day."""
    filled: dict[str, Any] = {}
    for name, known in model.model_fields.items():
        if known.is_required() or known.default_factory is not None or known.default is None:
            continue
        dumped = model.__pydantic_serializer__.to_python(
            model.model_construct(**{name: known.default}), mode="json", exclude_unset=True
        )
        filled[known.alias or name] = dumped[name]
    return filled


def waiting_types(registry: Registry) -> frozenset[str]:
    """Types whose nodes wait without a slot (``waits = True``): default timeouts skip them."""
    return frozenset(known.name for known in registry if getattr(known, "waits", False))
