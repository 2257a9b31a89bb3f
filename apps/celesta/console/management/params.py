"""Params of a start, as they are written on a command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.core.management.base import CommandError


def collect(schema: Mapping[str, Any], pairs: Iterable[str], text: str | None) -> dict[str, Any]:
    """The params of ``--params JSON`` with those of ``-p name=value`` over them."""
    params = _object(text) if text else {}
    properties = schema.get("properties") or {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise CommandError(f"-p {pair}: write -p name=value")
        params[name] = _value(properties.get(name), value)
    return params


def _object(text: str) -> dict[str, Any]:
    try:
        params = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise CommandError(f"--params is not JSON: {error}") from error
    if not isinstance(params, dict):
        raise CommandError('--params must be a JSON object, such as {"order_id": 7}')
    return params


def _value(schema: Any, text: str) -> Any:
    """JSON where it is JSON, else text; always text where the workflow wants a string."""
    if isinstance(schema, Mapping) and schema.get("type") == "string":
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
