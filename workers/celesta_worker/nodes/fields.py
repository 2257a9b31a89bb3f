"""Field types that several node types share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from celesta.graph import durations


def seconds(value: Any) -> float:
    """Seconds of a duration such as ``30s``; a number (out of an expression) is seconds already."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if 0 <= value <= durations.LONGEST:
            return float(value)
        raise ValueError("must be between 0 seconds and ten years")
    return durations.parse(value)


#: Stored as seconds (float), written as ``500ms``, ``30s``, ``5m``, ``2h`` or ``1d``.
Duration = Annotated[
    float,
    BeforeValidator(seconds),
    Field(allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$", "examples": ["30s"]},
                {"type": "number", "minimum": 0, "description": "Seconds."},
            ]
        }
    ),
]
