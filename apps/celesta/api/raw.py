"""Answers that are not JSON: documents, drawings, files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from celesta.api.refusals import InvalidQuery


class AnyAccept(BaseContentNegotiation):
    """The address says what comes, whatever the Accept header asks for; problems stay JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser:
        """The first parser: these views read no body."""
        return next(iter(parsers))

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """The first renderer, for problems."""
        first = next(iter(renderers))
        return first, first.media_type or ""


class AnyAnswer(DefaultContentNegotiation):
    """The same for views that also read bodies."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """The first renderer, for problems."""
        first = next(iter(renderers))
        return first, first.media_type or ""


def text(content: str, content_type: str, filename: str = "") -> HttpResponse:
    """A text as it is; with a filename, for saving."""
    response = HttpResponse(content, content_type=f"{content_type}; charset=utf-8")
    if filename:
        response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def file(content: bytes, content_type: str, filename: str) -> HttpResponse:
    """Bytes to save as a file."""
    response = HttpResponse(content, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def choice(request: Request, name: str, known: Sequence[str]) -> str:
    """The value of a query parameter that must be one of ``known``, by default the first."""
    value: Any = request.query_params.get(name, known[0])
    if value not in known:
        raise InvalidQuery(f"{name!r} must be one of: {', '.join(known)}.")
    return str(value)
