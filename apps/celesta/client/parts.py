"""What the parts of the client have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from celesta.client.transport import Transport

Json = dict[str, Any]


class Part:
    """A part of the API."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _get(self, path: str, **query: Any) -> Json:
        body: Json = self._transport.call("GET", path, query=query).json()
        return body

    def _post(self, path: str, json: Any = None, *, key: str | None = None) -> Json:
        headers = {"Idempotency-Key": key} if key else {}
        body: Json = self._transport.call(
            "POST", path, json={} if json is None else json, headers=headers
        ).json()
        return body

    def _rows(self, path: str, query: dict[str, Any]) -> Iterator[Json]:
        told = {name: _told(value) for name, value in query.items() if value is not None}
        return self._transport.rows(path, told)


def _told(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple | set) else value


def part_of_path(name: object) -> str:
    """A name as one part of an address."""
    return quote(str(name), safe="")
