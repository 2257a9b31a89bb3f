"""How a view says what it takes and answers, in one line above each method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers

from celesta.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from celesta.api.problems import CONTENT_TYPE
from celesta.api.schema.visibility import OursOnly
from celesta.api.shapes.fields import Sparse
from celesta.api.shapes.problems import ProblemDetails

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Takes:
    """Which query parameters a method takes, and which fields a row of its list has."""

    parameters: frozenset[str]
    fields: tuple[str, ...] = ()
    #: The part of the API, by which scopes of tokens are told.
    tag: str = ""


#: Bodies that hold a workflow document.
DOCUMENT: Final[Mapping[str, Any]] = {
    "application/yaml": OpenApiTypes.STR,
    "application/json": OpenApiTypes.OBJECT,
}
#: A body that may be anything: what is wrong with it is the answer.
ANY_DOCUMENT: Final[Mapping[str, Any]] = dict.fromkeys(DOCUMENT, OpenApiTypes.ANY)


def query(name: str, description: str, kind: Any = str, **more: Any) -> OpenApiParameter:
    """A query parameter."""
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description, **more)


def header(name: str, description: str, kind: Any = str) -> OpenApiParameter:
    """A request header."""
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, description=description)


def several(name: str, description: str, known: Sequence[str]) -> OpenApiParameter:
    """A query parameter with some of the known words, commas between them."""
    return query(name, description, many=True, enum=known, style="form", explode=False)


def whole(least: int, most: int | None = None) -> dict[str, Any]:
    """The type of a whole number within bounds."""
    bounds = {"minimum": least} if most is None else {"minimum": least, "maximum": most}
    return {"type": "integer", **bounds}


WORKSPACE: Final = header(
    "X-Celesta-Workspace", "Slug of the workspace; not needed by tokens and members of only one."
)
PAGING: Final = (
    query("cursor", "Where the page begins; part of the 'next' address of a page."),
    query("limit", f"Rows on a page, by default {DEFAULT_LIMIT}.", whole(1, MAX_LIMIT)),
)


@cache
def page_of(shape: type[serializers.Serializer[Any]]) -> Any:
    """The shape of a page of these; ``fields`` may leave any of their fields out."""
    sparse = type(f"{shape.__name__}Row", (Sparse, shape), {"__doc__": shape.__doc__})
    fields: dict[str, Any] = {
        "results": sparse(many=True),
        "next": serializers.CharField(allow_null=True, help_text="Address of the next page."),
    }
    page = inline_serializer(f"{shape.__name__}Page", fields)
    page.names_of_fields = list(shape().fields)  # type: ignore[attr-defined]
    return page


def operation(
    name: str,
    summary: str,
    *,
    answers: Mapping[Any, Any],
    body: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
    tag: str = "",
    workspace: bool = True,
) -> Callable[[F], F]:
    """Describe one method of a view; every one may also answer with a problem."""
    fields = next((names for a in answers.values() if (names := _fields_of(a))), ())
    own = [
        *parameters,
        *([several("fields", "Only these fields of each row.", fields)] if fields else []),
        *([WORKSPACE] if workspace else []),
    ]
    extend: Callable[[F], F] = extend_schema(
        operation_id=name,
        summary=summary,
        request=body,
        responses={**answers, ("default", CONTENT_TYPE): ProblemDetails},
        parameters=own,
        tags=[tag or name.split("_")[0]],
    )

    def describe(method: F) -> F:
        # Else it would build on the project's DEFAULT_SCHEMA_CLASS, which knows none of this.
        method.kwargs = {"schema": OursOnly}  # type: ignore[attr-defined]
        described = extend(method)
        described.takes = Takes(  # type: ignore[attr-defined]
            frozenset(one.name for one in own if one.location == OpenApiParameter.QUERY),
            tuple(fields),
            tag or name.split("_")[0],
        )
        return described

    return describe


def _fields_of(answer: Any) -> Sequence[str]:
    return getattr(answer, "names_of_fields", ())
