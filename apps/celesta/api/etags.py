"""Entity tags: what a caller has seen, so that an unchanged answer is not sent again and nobody
overwrites what somebody else has changed meanwhile (RFC 9110, section 13)."""

from __future__ import annotations

import hashlib
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
    return f'"{hashlib.sha256(JSON().render(data)).hexdigest()[:LETTERS]}"'


def tagged(request: Request, response: Any, tag: str) -> Any:
    """The response with its tag; 304 without a body when the caller has it already."""
    if names(request.headers.get("If-None-Match"), tag):
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
    response.headers["ETag"] = tag
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


def names(header_value: str | None, tag: str) -> bool:
    """Whether a list of tags (or ``*``, which is any) has this one."""
    if header_value is None:
        return False
    named = [one.strip().removeprefix("W/") for one in header_value.split(",")]
    return ANY in named or tag in named
