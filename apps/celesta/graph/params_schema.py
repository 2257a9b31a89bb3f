"""Checks the JSON Schema of a workflow's params, before any run is checked against it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from celesta.graph import patterns
from celesta.graph.findings import Findings
from celesta.graph.paths import Path

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Largest params schema: checking a schema costs about 50 us a value.
MAX_VALUES = 10_000
_FORMATS = FormatChecker(formats=())
_FORMATS.checks("regex")(patterns.is_pattern)
_METASCHEMA = Draft202012Validator(Draft202012Validator.META_SCHEMA, format_checker=_FORMATS)
#: Keywords whose members have names of the author's; the values are schemas.
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
#: Keywords whose values are data, whatever they look like.
_DATA: Final = frozenset({"const", "default", "enum", "examples"})
#: Keywords that are not checked within limits, each with what to write instead.
_UNKNOWN: Final = {
    "unevaluatedProperties": "Write additionalProperties, beside the properties it is about.",
    "unevaluatedItems": "Write items, beside the prefixItems it is about.",
    "$dynamicRef": "Write $ref.",
}


def check(schema: Mapping[str, Any], findings: Findings) -> None:
    """Report what makes ``params`` no JSON Schema (2020-12) of an object."""
    path: Path = ("params",)
    if _values(schema) > MAX_VALUES:
        message = f"The params schema has more than {MAX_VALUES:,} values."
        findings.error("document_too_large", path, message, "Describe less: an object is enough.")
        return
    for error in _METASCHEMA.iter_errors(schema):
        where = (*path, *error.absolute_path)
        findings.error("invalid_schema", where, f"{error.message[:300]}.", _hint(error))
    if schema.get("type", "object") != "object":
        hint = "Write type: object, and the params under properties."
        findings.error("invalid_schema", (*path, "type"), "Params are an object.", hint)
    if schema.get("$schema", _DIALECT) != _DIALECT:
        hint = f"Remove it, or write {_DIALECT}."
        findings.error("invalid_schema", (*path, "$schema"), "Only 2020-12 is known.", hint)
    _check_keywords(schema, path, findings)


def _hint(error: ValidationError) -> str:
    return patterns.HINT if error.validator_value == "regex" else ""


def _values(schema: Mapping[str, Any]) -> int:
    """How many values a schema holds; counted no further than is asked for."""
    stack: list[Any] = [schema]
    count = 0
    while stack and count <= MAX_VALUES:
        item = stack.pop()
        count += 1
        if isinstance(item, Mapping):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return count


def _check_keywords(schema: Mapping[str, Any], path: Path, findings: Findings) -> None:
    """Refuse references that lead nowhere or away, and keywords that have no limit."""
    root: Registry[Any] = Registry().with_resource("", DRAFT202012.create_resource(schema))
    resolver = root.resolver()
    for part, where in _subschemas(schema, path):
        for keyword, hint in _UNKNOWN.items():
            if keyword in part:
                message = f"{keyword!r} is not known here."
                findings.error("invalid_schema", (*where, keyword), message, hint)
        target = part.get("$ref")
        if not isinstance(target, str):
            continue
        hint = "Put the definition under $defs and refer to '#/$defs/<name>'."
        if not target.startswith("#"):
            message = f"{target!r} lies outside this document."
            findings.error("invalid_schema", (*where, "$ref"), message, hint)
        elif not _leads_to_a_schema(resolver, target):
            message = f"{target!r} leads to no schema."
            findings.error("invalid_schema", (*where, "$ref"), message, hint)


def _subschemas(schema: Any, path: Path) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """Every mapping in which keywords stand, with its path."""
    stack: list[tuple[Any, Path, bool]] = [(schema, path, False)]
    while stack:
        item, where, named = stack.pop()
        if isinstance(item, Mapping):
            if not named:
                yield item, where
            for key, value in item.items():
                if named or key not in _DATA:
                    stack.append((value, (*where, key), not named and key in _NAMED))
        elif isinstance(item, list):
            stack.extend((value, (*where, index), False) for index, value in enumerate(item))


def _leads_to_a_schema(resolver: Any, target: str) -> bool:
    """Whether a schema is there, behind however many references that lead on at once."""
    seen = set()
    while target not in seen:
        seen.add(target)
        try:
            found = resolver.lookup(target).contents
        except (Unresolvable, ValueError, TypeError, LookupError):
            return False
        if not isinstance(found, Mapping):
            return isinstance(found, bool)
        following = found.get("$ref")
        if not isinstance(following, str):
            return True
        target = following
    return False
