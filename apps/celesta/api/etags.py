"""Entity tags: what a caller has seen, so that an unchanged answer is not sent again and nobody
overwrites what somebody else has changed meanwhile (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.http import HttpResponse
from rest_framework.request import Request

from celesta.api.refusals import PreconditionFailed
from celesta.api.renderers import JSON
from celesta.api.schema.operations import header

LETTERS: Final = 32
ANY: Final = "*"

IF_NONE_MATCH: Final = header("If-None-Match", "An ETag seen before: 304 when it is still so.")
IF_MATCH: Final = header(
    "If-Match", "The ETag of what was read: 412 when it has changed since, and nothing is done."
)


def of(data: Any) -> str:
    """The tag of an answer with this data."""
    return f'"{_digest(data)}"'


def of_written(data: Mapping[str, Any], written: Iterable[str]) -> str:
    """The tag of a row that moves by itself; its first half tells the fields that callers write.

    :func:`demand_written` compares that half: what the row does by itself outdates nobody.
    """
    return f'"{_written(data, written)}-{_digest(data)}"'


def _written(data: Mapping[str, Any], written: Iterable[str]) -> str:
    return _digest({name: data[name] for name in written})


def _digest(data: Any) -> str:
    return hashlib.sha256(JSON().render(data)).hexdigest()[:LETTERS]


def tagged(request: Request, response: Any, tag: str) -> Any:
    """The response with its tag; 304 without a body when the caller has it already."""
    response = unchanged(request, tag) or response
    response.headers["ETag"] = tag
    return response


def unchanged(request: Request, tag: str) -> HttpResponse | None:
    """The 304 for who reads, and has what this tag is of; None for all others."""
    reads = request.method in ("GET", "HEAD")
    if not (reads and names(request.headers.get("If-None-Match"), tag)):
        return None
    response = HttpResponse(status=304, headers={"ETag": tag})
    del response.headers["Content-Type"]
    return response


def demand(request: Request, data: Any) -> None:
    """Raise PreconditionFailed when the caller has seen something else than ``data``.

    ``data`` is None when there is nothing yet; a caller without If-Match demands nothing.
    """
    asked = request.headers.get("If-Match")
    if asked is None:
        return
    if data is None or not names(asked, of(data)):
        raise PreconditionFailed


def demand_written(request: Request, data: Mapping[str, Any], written: Iterable[str]) -> None:
    """As :func:`demand`, of a row whose tags are made by :func:`of_written`."""
    asked = request.headers.get("If-Match")
    if asked is None:
        return
    halves = {tag.partition("-")[0] for tag in _listed(asked)}
    if not halves & {ANY, f'"{_written(data, written)}'}:
        raise PreconditionFailed


def names(header_value: str | None, tag: str) -> bool:
    """Whether a list of tags (or ``*``, which is any) has this one."""
    if header_value is None:
        return False
    named = _listed(header_value)
    return ANY in named or tag in named


def _listed(header_value: str) -> list[str]:
    return [one.strip().removeprefix("W/") for one in header_value.split(",")]
