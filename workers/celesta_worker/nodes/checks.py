"""Checking a node's ``with`` block when a workflow is published, templates still unresolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from celesta.graph import paths
from celesta.graph.problems import Problem

#: What begins a template inside a string. Its value, and so its type, is known only in a run.
TEMPLATE = "{{"
#: Kinds of pydantic's errors.
_ABSENT = frozenset({"missing", "extra_forbidden"})
_BY_VALIDATORS = frozenset({"value_error", "assertion_error"})


def has_template(value: Any) -> bool:
    """Tell whether a string, or any value inside a mapping or list, holds a template."""
    if isinstance(value, str):
        return TEMPLATE in value
    if isinstance(value, Mapping):
        return any(has_template(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(has_template(item) for item in value)
    return False


def validate_config(model: type[BaseModel], config: Mapping[str, Any], path: str) -> list[Problem]:
    """Problems of ``config`` against ``model``; what a template stands for is not judged.

    Codes: ``unknown_field``, ``missing_field``, else ``invalid_config``.
    """
    try:
        model.model_validate(dict(config))
    except ValidationError as error:
        return list(_problems(model, config, path, error))
    return []


def _problems(
    model: type[BaseModel], config: Mapping[str, Any], path: str, error: ValidationError
) -> Iterator[Problem]:
    seen: set[str] = set()
    for found in error.errors(include_url=False, include_context=False):
        absent = found["type"] in _ABSENT
        if not absent and _unknowable(found):
            continue
        where = place(config, found["loc"], path, absent=absent)
        if where in seen:  # a union reports once for each of its members
            continue
        seen.add(where)
        if found["type"] == "extra_forbidden":
            yield unknown_field(where, str(found["loc"][-1]), model)
        elif found["type"] == "missing":
            name = found["loc"][-1]
            yield Problem(
                "missing_field", where, f"The field {name!r} is required.", _hint(model, found)
            )
        else:
            yield Problem("invalid_config", where, _sentence(found["msg"]), _hint(model, found))


def _unknowable(found: ErrorDetails) -> bool:
    """Tell whether the fault may go away once templates are resolved."""
    value = found["input"]
    if isinstance(value, str):
        return TEMPLATE in value
    # A validator of a nested value may have stumbled over a template inside it. One of the whole
    # config knows better: it looks at which fields are there.
    return bool(found["loc"]) and found["type"] in _BY_VALIDATORS and has_template(value)


def place(config: Any, location: tuple[int | str, ...], path: str, *, absent: bool) -> str:
    """The path in the document of pydantic's location, which also names union members.

    ``absent``: the last step is a field that is not in ``config``.
    """
    last = len(location) - 1
    for position, step in enumerate(location):
        if isinstance(config, Mapping) and (step in config or (absent and position == last)):
            path, config = child(path, step), config.get(step)
        elif isinstance(config, list | tuple) and isinstance(step, int) and step < len(config):
            path, config = child(path, step), config[step]
    return path


def child(path: str, step: int | str) -> str:
    """The path of a field or list item below ``path``, odd characters quoted."""
    text = paths.render((step,))
    return f"{path}{text}" if text.startswith("[") else f"{path}.{text}"


def unknown_field(where: str, name: str, model: type[BaseModel]) -> Problem:
    """The problem of a field that ``model`` does not have."""
    known = field_names(model)
    near = get_close_matches(name, known, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known fields: {', '.join(known) or 'none'}."
    return Problem("unknown_field", where, f"There is no field {name!r} here.", hint)


def field_names(model: type[BaseModel]) -> list[str]:
    """The names an author writes: aliases where there are any."""
    return [info.alias or name for name, info in model.model_fields.items()]


def _sentence(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{message[:1].upper()}{message[1:]}."


def _hint(model: type[BaseModel], found: Mapping[str, Any]) -> str:
    top = found["loc"][0] if found["loc"] else None
    for name, info in model.model_fields.items():
        if top in (name, info.alias) and info.description:
            return info.description
    return ""


def fresh(value: Any) -> Any:
    """A copy of a JSON value whose mappings and lists are nobody else's."""
    if isinstance(value, dict):
        return {key: fresh(item) for key, item in value.items()}
    if isinstance(value, list):
        return [fresh(item) for item in value]
    return value
