"""Readers of the streams of a web process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from tests.webs import WebProcess


@dataclass(frozen=True)
class Told:
    """One message of a stream."""

    id: str
    event: str
    data: Any


@contextmanager
def followed(web: WebProcess, path: str, token: str, **headers: str) -> Iterator[Iterator[Told]]:
    """Messages of a stream, as they come; ends when the server ends it."""
    sent = {"Authorization": f"Bearer {token}", **headers}
    timeout = httpx.Timeout(60.0)
    with httpx.stream("GET", f"{web.url}/api/v1/{path}", headers=sent, timeout=timeout) as answer:
        assert answer.status_code == 200, answer.read()
        yield messages(answer.iter_lines())


def messages(lines: Iterator[str]) -> Iterator[Told]:
    """The messages in an answer's lines."""
    id_, event, data = "", "", ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            id_ = value
        elif name == "event":
            event = value
        elif name == "data":
            data = value
        elif not line and event:
            yield Told(id_, event, orjson.loads(data))
            event = data = ""
