"""Fields and bases that do not depend on the project's own REST_FRAMEWORK settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

#: Moments further off overflow when they are moved to another time zone.
YEARS: Final = range(1900, 9900)


@extend_schema_field(
    {
        "type": "string",
        "format": "date-time",
        "pattern": "^(19|[2-8][0-9]|9[0-8])[0-9]{2}-",
    }
)
class Instant(serializers.DateTimeField):
    """A moment, always written in UTC as ISO 8601."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso-8601", default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:
        """Refuse years that no clock will show."""
        moment = super().to_internal_value(value)
        if moment.year not in YEARS:
            self.fail("overflow")
        return moment


@extend_schema_field(OpenApiTypes.ANY)
class AnyJSON(serializers.JSONField):
    """Any JSON value, null among them."""

    def validate_empty_values(self, data: Any) -> tuple[bool, Any]:
        """Null is a value like any other, not the absence of one."""
        return (True, None) if data is None else super().validate_empty_values(data)


class Text(serializers.CharField):
    """A string, kept as it is; a number is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuse what the stock field would turn into a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number; a string with digits in it is none."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse what the stock field would turn into a number; 2.0 is 2, as JSON Schema has it."""
        if isinstance(data, float) and data.is_integer():
            return super().to_internal_value(int(data))
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """True or false; a number or a word is neither."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse what the stock field would turn into a truth value."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Identifier(serializers.UUIDField):
    """A UUID as a string; a number is none."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what the stock field would turn into a UUID."""
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class Strict(serializers.Serializer[Any]):
    """A body in which an unknown field is an error: a misspelt one would do nothing, silently."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields beside everything else that is wrong."""
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                known = ", ".join(sorted(self.fields))
                raise serializers.ValidationError(
                    {name: [_unknown(name, known)] for name in unknown}
                )
        return super().to_internal_value(data)


class StrictInSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """How the schema tells that unknown fields are errors."""

    target_class = Strict
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        """The usual object, closed."""
        usual = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        return {**usual, "additionalProperties": False}


class Sparse(serializers.Serializer[Any]):
    """A row of a list, of which the caller may ask for some fields only."""


class SparseInSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """How the schema tells that any field may be left out."""

    target_class = Sparse
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Any:
        """The usual object, nothing of it required."""
        usual = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        return {name: value for name, value in usual.items() if name != "required"}


def _unknown(name: str, known: str) -> ErrorDetail:
    return ErrorDetail(f"There is no field {name!r}; known: {known}.", "unknown_field")
