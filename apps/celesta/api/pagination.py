"""Pages by cursor: the address of the next page says after which row it begins.

Rows that come or go meanwhile shift nothing, and the thousandth page costs what the first one does.
"""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from celesta.api import asking
from celesta.api.refusals import InvalidCursor, InvalidQuery

DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order that tells any two rows apart: fields, all ascending or all descending."""

    fields: tuple[str, ...]
    descending: bool = False

    def order(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows in this order."""
        sign = "-" if self.descending else ""
        return rows.order_by(*(sign + name for name in self.fields))

    def after(self, rows: QuerySet[Any], values: list[Any]) -> QuerySet[Any]:
        """The rows that come after the one with these values; the outer bound is for the index."""
        step = "lt" if self.descending else "gt"
        beyond, same = Q(), Q()
        for name, value in zip(self.fields, values, strict=True):
            beyond |= same & Q(**{f"{name}__{step}": value})
            same &= Q(**{name: value})
        return rows.filter(Q(**{f"{self.fields[0]}__{step}e": values[0]}) & beyond)

    def values(self, row: Any) -> list[Any]:
        """Where a row stands in this order."""
        return [getattr(row, name) for name in self.fields]


def limit_of(request: Request) -> int:
    """The ``limit`` parameter; raises InvalidQuery outside 1 to MAX_LIMIT."""
    return asking.whole(request, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)


def page(
    request: Request,
    rows: QuerySet[Any],
    keyset: Keyset,
    render: Callable[[list[Any]], Iterable[Any]],
) -> Response:
    """One page: ``{"results": [...], "next": address or null}``."""

    def fetch(limit: int, after: list[Any] | None) -> list[Any]:
        ordered = keyset.order(rows)
        return list((keyset.after(ordered, after) if after else ordered)[:limit])

    return page_by(request, fetch, keyset, render)


def page_by(
    request: Request,
    fetch: Callable[[int, list[Any] | None], list[Any]],
    keyset: Keyset,
    render: Callable[[list[Any]], Iterable[Any]],
) -> Response:
    """As :func:`page` of whatever ``fetch(limit, values of the row before or None)`` returns."""
    limit = limit_of(request)
    cursor = request.query_params.get("cursor")
    after = _decode(cursor, len(keyset.fields)) if cursor else None
    try:
        found = fetch(limit + 1, after)
    except (ValidationError, ValueError, TypeError) as error:  # values no field of ours ever had
        raise InvalidCursor from error
    more = len(found) > limit
    found = found[:limit]
    following = _next(request, keyset.values(found[-1])) if more else None
    return Response({"results": list(render(found)), "next": following})


def ordered_by(request: Request, known: Mapping[str, Keyset]) -> Keyset:
    """The order that ``order`` names, by default the first of the known ones."""
    name = request.query_params.get("order", next(iter(known)))
    if name not in known:
        raise InvalidQuery(f"{name!r} is no order; known: {', '.join(known)}.")
    return known[name]


def _next(request: Request, values: list[Any]) -> str:
    return replace_query_param(request.build_absolute_uri(), "cursor", cursor_of(values))


def cursor_of(values: list[Any]) -> str:
    """The cursor of the page that begins after the row with these values."""
    return urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def _decode(cursor: str, length: int) -> list[Any]:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = orjson.loads(urlsafe_b64decode(padded))
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor from error
    if not isinstance(values, list) or len(values) != length:
        raise InvalidCursor
    if not all(isinstance(value, str | int) and "\x00" not in str(value) for value in values):
        raise InvalidCursor
    return values
