"""Answers that are not JSON: documents, drawings, files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.files import File
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpResponse
from rest_framework.negotiation import BaseContentNegotiation, DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from celesta.api.refusals import InvalidQuery

PIECE: Final = 256 * 1024  # bytes


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


def download(request: Request, file: File[bytes], filename: str, content_type: str) -> FileResponse:
    """A file to save, sent in pieces; whoever serves it, it is never whole in memory."""
    response = FileResponse(file, as_attachment=True, filename=filename, content_type=content_type)
    if isinstance(request._request, ASGIRequest):  # noqa: SLF001 - there is no other way to ask
        # Django would read a file into a list before it sent the first byte of it.
        response.streaming_content = _pieces(file)
    return response


async def _pieces(file: File[bytes]) -> AsyncIterator[bytes]:
    # The response closes the file.
    while piece := await sync_to_async(file.read, thread_sensitive=False)(PIECE):
        yield piece


def choice(request: Request, name: str, known: Sequence[str]) -> str:
    """The value of a query parameter that must be one of ``known``, by default the first."""
    value: Any = request.query_params.get(name, known[0])
    if value not in known:
        raise InvalidQuery(f"{name!r} must be one of: {', '.join(known)}.")
    return str(value)
