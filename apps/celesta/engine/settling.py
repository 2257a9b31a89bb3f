"""What a node is told: its condition and its config, with every template resolved.

Workers ask before each attempt, and a dry run for what can be known beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from celesta.graph import expressions
from celesta.graph.node_types import NodeType
from celesta.graph.plan import PlanNode
from celesta.runs.outcomes import Failed, Skipped


def settled(
    node: PlanNode, node_type: NodeType, scope: Mapping[str, Any], config: BaseModel | None = None
) -> Skipped | Failed | BaseModel:
    """The validated config of the node in this scope, or why it does not run.

    ``config`` is the config when nothing in it has to be resolved.
    """
    try:
        if node.when is not None and not expressions.condition(node.when, scope):
            return Skipped("its condition was false")
        if config is not None:
            return config
        own = expressions.resolve(own_part(node_type, node.config), scope, "with")
        return node_type.Config.model_validate({**node.config, **own})
    except expressions.ExpressionError as error:
        return Failed(
            f"{error.path}: {error.message}",
            code=error.code,
            retryable=False,
            details={"path": error.path},
        )
    except ValidationError as error:
        return _invalid(node_type, error)


def own_part(node_type: NodeType, config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the config whose templates belong to the node's own scope."""
    foreign: frozenset[str] = getattr(node_type, "unresolved", frozenset())
    return {key: value for key, value in config.items() if key not in foreign}


def _invalid(node_type: NodeType, error: ValidationError) -> Failed:
    found = [
        {"path": ".".join(["with", *map(str, item["loc"])]), "message": item["msg"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    return Failed(
        f"the resolved config does not fit {node_type.name}: "
        f"{found[0]['path']}: {found[0]['message']}",
        code="invalid_config",
        retryable=False,
        details={"errors": found},
    )
