"""The params of a run: checked against the workflow's JSON Schema, defaults filled in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from celesta import conf
from celesta.graph import params_check
from celesta.graph.problems import Problem
from celesta.runs.errors import ParamsInvalid

#: NUL as JSON writes it: behind no backslash, or an even number of them.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def checked_params(schema: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The params with defaults; raises ParamsInvalid with every problem at its path."""
    _check_storable(params)
    filled = _with_defaults(schema, dict(params))
    problems = params_check.problems_of(schema, filled)
    if problems:
        raise ParamsInvalid(problems=problems)
    _check_storable(filled)  # a default may be what no caller could send
    return filled


def _check_storable(params: Mapping[str, Any]) -> None:
    try:
        encoded = orjson.dumps(params)
    except (TypeError, ValueError) as error:
        raise _refused("not_json", str(error)) from error
    # What is no number in JSON is written as null: who has none of these is not looked through.
    if b"null" in encoded and not _has_numbers_only(params):
        raise _refused("not_json", "NaN and infinity are no JSON numbers", "Leave them out.")
    if len(encoded) > conf.get("MAX_PARAMS_BYTES"):
        limit = conf.get("MAX_PARAMS_BYTES")
        message = f"the params have {len(encoded)} bytes; at most {limit} are accepted"
        raise _refused("params_too_large", message, "Pass a reference instead.")
    # A text that says \u0000 is text like any other: its backslash is doubled.
    if _NUL.search(encoded):
        raise _refused("nul_character", "text must not hold the NUL character")


def _has_numbers_only(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_has_numbers_only, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_has_numbers_only, value))
    return not isinstance(value, float) or math.isfinite(value)


def _refused(code: str, message: str, hint: str = "") -> ParamsInvalid:
    return ParamsInvalid(problems=[Problem(code, "params", message, hint)])


def _with_defaults(schema: Mapping[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Fill in ``default`` of missing properties, also inside nested objects that were given."""
    for name, sub in (schema.get("properties") or {}).items():
        if not isinstance(sub, Mapping):
            continue
        if name not in params and "default" in sub:
            params[name] = sub["default"]
        elif isinstance(params.get(name), dict):
            params[name] = _with_defaults(sub, dict(params[name]))
    return params
