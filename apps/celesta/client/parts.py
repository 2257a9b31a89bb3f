"""What the parts of the client have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from httpx import Response

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

    def _put(self, path: str, json: Any) -> Json:
        body: Json = self._transport.call("PUT", path, json=json).json()
        return body

    def _get_tagged(self, path: str) -> Json:
        """What is there, with its ETag as ``etag``."""
        return _tagged(self._transport.call("GET", path))

    def _put_tagged(self, path: str, json: Any, if_match: str) -> Json:
        """What was put, with its new ``etag``; raises Conflict when ``if_match`` is outdated."""
        return _tagged(self._transport.call("PUT", path, json=json, headers=matching(if_match)))

    def _many(self, path: str, verb: str, where: Json, **more: Any) -> Iterator[Json]:
        """The outcomes of a verb for many rows, a bounded piece a call."""
        cursor: Any = None
        while True:
            body = {"verb": verb, "filter": where, "cursor": cursor, **more}
            done = self._post(path, body)
            yield from done["results"]
            if done["cursor"] is None:
                return
            # Ids of runs are texts, those of dead letters numbers.
            cursor = int(done["cursor"]) if done["cursor"].isdigit() else done["cursor"]

    def _rows(self, path: str, query: dict[str, Any]) -> Iterator[Json]:
        return self._transport.rows(path, asked(query))


def matching(tag: str) -> dict[str, str]:
    """The header by which a call is refused when there is something else than ``tag`` by now."""
    return {"If-Match": tag} if tag else {}


def _tagged(answer: Response) -> Json:
    body: Json = answer.json()
    return {**body, "etag": answer.headers.get("ETag", "")}


def asked(query: dict[str, Any]) -> dict[str, Any]:
    """Query parameters as the API reads them, without those that are None."""
    return {name: _told(value) for name, value in query.items() if value is not None}


def _told(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list | tuple | set) else value


def part_of_path(name: object) -> str:
    """A name as one part of an address."""
    return quote(str(name), safe="")
