"""``http``: one HTTP request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import httpx
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from celesta.runs.outcomes import Outcome
from celesta_worker.context import NodeContext
from celesta_worker.http_exchange import send
from celesta_worker.nodes.base import NodeConfig, NodeTypeBase
from celesta_worker.nodes.fields import Duration

#: Methods that a server may repeat without harm: they need no idempotency key.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def _web_address(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"is not a URL: {error}") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("must begin with http:// or https:// and name a host")
    return url


def _text(value: Any) -> Any:
    # Expressions give numbers and booleans where HTTP knows text only.
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _one_line(value: str) -> str:
    if any(character in value for character in "\r\n\0"):
        raise ValueError("must be one line")
    return value


Text = Annotated[str, BeforeValidator(_text)]
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", max_length=200)]
Header = Annotated[str, BeforeValidator(_text), AfterValidator(_one_line)]
Status = Annotated[int, Field(ge=100, le=599)] | Literal["1xx", "2xx", "3xx", "4xx", "5xx"]


class HttpConfig(NodeConfig):
    """What an ``http`` node is told."""

    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="GET", title="Method", description="The HTTP method, in capitals."
    )
    url: Annotated[str, AfterValidator(_web_address)] = Field(
        title="URL", description="Where to send the request; http and https only."
    )
    headers: dict[HeaderName, Header] = Field(
        default_factory=dict, title="Headers", description="Request headers by name."
    )
    query: dict[str, Text | list[Text] | None] = Field(
        default_factory=dict,
        title="Query",
        description="Query parameters, added to those in the URL. A list repeats the parameter, "
        "null leaves it out.",
    )
    json_: Any = Field(
        default=None, alias="json", title="JSON body", description="Value to send as JSON."
    )
    body: str | None = Field(
        default=None, title="Text body", description="Text to send as it is, as UTF-8."
    )
    timeout: Duration = Field(
        default=30.0,
        gt=0,
        title="Timeout",
        description="How long the whole exchange may take, redirects included.",
    )
    expect: list[Status] = Field(
        default=["2xx"],
        min_length=1,
        title="Expected status",
        description="Status codes (404) and classes (2xx) that mean success.",
    )
    retry_on: list[Status] = Field(
        default=[408, 425, 429, "5xx"],
        title="Retry on",
        description="Status codes and classes after which the node may be tried again.",
    )
    follow_redirects: bool = Field(
        default=True, title="Follow redirects", description="Follow up to five redirects."
    )
    max_bytes: int | None = Field(
        default=None,
        ge=1,
        title="Largest response",
        description="Bytes of the response body that are read at most. Without it: the largest "
        "output a node may have.",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_body(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and "json" in data and data.get("body") is not None:
            raise ValueError("give either `json` or `body`")
        return data


class HttpNode(NodeTypeBase[HttpConfig]):
    """Async: hundreds of requests share one worker slot."""

    name = "http"
    title = "HTTP request"
    summary = "Sends one HTTP request and keeps status, headers and body of the answer."
    Config = HttpConfig

    async def arun(self, config: HttpConfig, context: NodeContext) -> Outcome:
        """Send the request; unsafe methods carry the node's idempotency key."""
        safe = config.method in SAFE_METHODS
        return await send(config, key="" if safe else context.idempotency_key)
