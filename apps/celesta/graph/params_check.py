"""Checks params against the JSON Schema of their workflow; no schema can run away with a server.

A schema is written by an author and judged in the web process, where a pattern that backtracks or
references that double at every level would keep everybody waiting.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from celesta.graph import patterns
from celesta.graph.cel.values import Budget, TooCostlyError
from celesta.graph.problems import Problem

#: Keywords that are tried in one check, about a second's worth.
MAX_STEPS: Final = 500_000
#: More problems than these help nobody.
MAX_PROBLEMS: Final = 100

Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]
_budget: ContextVar[Budget] = ContextVar("celesta_params_budget")


def problems_of(schema: Mapping[str, Any], params: Mapping[str, Any]) -> list[Problem]:
    """All that does not fit, by path; a check that costs too much is a problem as well."""
    budget = _budget.set(Budget(MAX_STEPS))
    try:
        errors = list(islice(_validator(json.dumps(schema)).iter_errors(params), MAX_PROBLEMS))
    except TooCostlyError:
        message = f"checking the params takes more than {MAX_STEPS:,} steps"
        hint = "Pass fewer values, or have the workflow's params schema ask less of each."
        return [Problem("params_too_costly", "params", message, hint)]
    except RecursionError:
        message = "the params schema leads back to itself, or too deep, for these params"
        hint = "Pass less nested params, or change the schema's $ref."
        return [Problem("params_too_costly", "params", message, hint)]
    except Unresolvable as error:
        message = f"the params schema refers to {error.ref!r:.100}, which is not there"
        return [Problem("param_$ref", "params", message, "Publish the workflow with a right $ref.")]
    except ValueError as error:  # a version from before patterns were checked
        return [Problem("param_pattern", "params", str(error), patterns.HINT)]
    finally:
        _budget.reset(budget)
    return sorted(map(_problem, errors), key=lambda problem: problem.path)


# --- keywords that could take more than their share of time ---


def _pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str):
        _budget.get().pay(len(instance) // 64)
        if not patterns.found(pattern, instance):
            yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, wanted: Mapping[str, Any], instance: Any, _: Any
) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        _budget.get().pay(len(wanted) * len(instance))
        for pattern, schema in wanted.items():
            for name, value in instance.items():
                if patterns.found(pattern, name):
                    yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, wanted: Any, instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    known, matched = schema.get("properties", {}), schema.get("patternProperties", {})
    _budget.get().pay(len(matched) * len(instance))
    for name, value in instance.items():
        if name in known or any(patterns.found(pattern, name) for pattern in matched):
            continue
        if wanted is False:
            yield ValidationError(f"{name!r} is not expected", path=[name])
        else:
            yield from validator.descend(value, wanted, path=name)


def _unique_items(validator: Any, wanted: bool, instance: Any, _: Any) -> Iterator[ValidationError]:
    if not wanted or not isinstance(instance, list):
        return
    seen: set[str] = set()
    for index, item in enumerate(instance):
        spelled = json.dumps(_one_spelling(item), sort_keys=True)
        if spelled in seen:
            yield ValidationError("this item is there twice", path=[index])
        seen.add(spelled)


def _one_spelling(value: Any) -> Any:
    """The value with 1.0 written as 1: numbers are equal by their value, in JSON Schema too."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, list):
        return [_one_spelling(item) for item in value]
    if isinstance(value, dict):
        return {name: _one_spelling(item) for name, item in value.items()}
    return value


def _paid(name: str, keyword: Keyword) -> Keyword:
    price = 8 if name == "$ref" else 1  # what looking a reference up takes

    def checked(validator: Any, wanted: Any, instance: Any, schema: Any) -> Any:
        _budget.get().pay(price + len(wanted) // 8 if isinstance(wanted, list) else price)
        return keyword(validator, wanted, instance, schema)

    return checked


_KEYWORDS: Final[dict[str, Keyword]] = {
    **Draft202012Validator.VALIDATORS,
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
_Bounded = extend(
    Draft202012Validator, {name: _paid(name, rule) for name, rule in _KEYWORDS.items()}
)


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    # A registry of its own has nothing to fetch from: a reference never leaves the document.
    return _Bounded(json.loads(schema), registry=Registry())


# --- telling ---


def _problem(error: ValidationError) -> Problem:
    path = "params" + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path
    )
    if error.validator == "required" and isinstance(error.instance, Mapping):
        missing = [name for name in error.validator_value if name not in error.instance]
        name = next((n for n in missing if error.message.startswith(repr(n))), missing[0])
        return Problem("missing_param", f"{path}.{name}", error.message[:500], "Give a value.")
    if error.validator is None:
        return Problem("param_false", path, error.message[:500], "Leave it out.")
    hint = f"See the params schema: {error.validator} is {error.validator_value!r:.200}."
    return Problem(f"param_{error.validator}", path, error.message[:500], hint)
