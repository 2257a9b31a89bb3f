"""Files as answers to requests, whoever asks and whatever serves them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.files import File
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest

PIECE: Final = 256 * 1024  # bytes


def in_pieces(request: HttpRequest, file: File[bytes], **headers: Any) -> FileResponse:
    """A FileResponse, sent in pieces: the file is never whole in memory."""
    response = FileResponse(file, **headers)
    if isinstance(request, ASGIRequest):
        # Django would read a file into a list before it sent the first byte of it.
        response.streaming_content = _pieces(file)
    return response


async def _pieces(file: File[bytes]) -> AsyncIterator[bytes]:
    # The response closes the file.
    while piece := await sync_to_async(file.read, thread_sensitive=False)(PIECE):
        yield piece
