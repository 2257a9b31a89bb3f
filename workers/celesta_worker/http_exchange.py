"""The exchange of an ``http`` node, bounded in time, size and redirects; answered as an outcome."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

import httpx

from celesta import conf
from celesta.runs.outcomes import Failed, Outcome, RetryLater, Succeeded
from celesta_worker.failures import clean, failed

if TYPE_CHECKING:
    from celesta_worker.nodes.http import HttpConfig

MAX_REDIRECTS: Final = 5
#: A server may ask us to stay away for this many seconds at most.
MAX_RETRY_AFTER: Final = 86400.0
#: Characters of an error's body that are kept with the failure.
EXCERPT: Final = 2000


class _TooLargeError(Exception):
    """The response body is larger than allowed."""


class _Quiet(logging.Filter):
    """httpx logs every URL with its query, where keys and tokens often are."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not _ours.get()


_ours: ContextVar[bool] = ContextVar("celesta_http_exchange", default=False)
logging.getLogger("httpx").addFilter(_Quiet())


async def send(asked: HttpConfig, *, key: str) -> Outcome:
    """Carry out one exchange. Never raises what the network or the server can cause.

    ``key`` is sent as Idempotency-Key unless it is empty or the author gave that header.
    """
    ours = _ours.set(True)
    try:
        return await _send(asked, key)
    finally:
        _ours.reset(ours)


async def _send(asked: HttpConfig, key: str) -> Outcome:
    limit = asked.max_bytes or conf.get("MAX_OUTPUT_BYTES")
    try:
        request = _request(asked, key)
    except (httpx.InvalidURL, httpx.LocalProtocolError, ValueError, TypeError) as error:
        return failed(error, code="invalid_request", retryable=False)
    try:
        async with asyncio.timeout(asked.timeout):
            response, body = await _exchange(request, asked.follow_redirects, limit)
    except (TimeoutError, httpx.TimeoutException) as error:
        return failed(error, code="http_timeout", message=f"no answer within {asked.timeout:g} s")
    except _TooLargeError:
        return _final("response_too_large", f"the response is larger than {limit:,} bytes")
    except httpx.TooManyRedirects:
        return _final("too_many_redirects", f"more than {MAX_REDIRECTS} redirects")
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL) as error:
        return failed(error, code="invalid_request", retryable=False)
    except httpx.RequestError as error:
        return failed(error, code="http_unreachable")
    return _outcome(asked, response, body)


def _request(asked: HttpConfig, key: str) -> httpx.Request:
    url = httpx.URL(asked.url).copy_merge_params(_pairs(asked.query))
    headers = httpx.Headers(asked.headers)
    if key:
        headers.setdefault("Idempotency-Key", key)
    content = asked.body
    if "json_" in asked.model_fields_set:  # null too is a body, which httpx would leave out
        content = json.dumps(asked.json_, ensure_ascii=False, allow_nan=False)
        headers.setdefault("Content-Type", "application/json")
    return _client().build_request(asked.method, url, headers=headers, content=content)


def _pairs(query: dict[str, Any]) -> httpx.QueryParams:
    pairs = [
        (name, item)
        for name, value in query.items()
        if value is not None
        for item in (value if isinstance(value, list) else [value])
    ]
    return httpx.QueryParams(pairs)


async def _exchange(
    request: httpx.Request, follow: bool, limit: int
) -> tuple[httpx.Response, bytes]:
    # Redirects are followed here: httpx would read their bodies whole, however large.
    for _ in range(MAX_REDIRECTS + 1):
        response = await _client().send(request, stream=True)
        try:
            if not (follow and response.next_request):
                return response, await _read(response, limit)
        finally:
            await response.aclose()
        request = response.next_request
    raise httpx.TooManyRedirects("too many redirects", request=request)


async def _read(response: httpx.Response, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)  # after decompression: that is what would fill the memory
        if size > limit:
            raise _TooLargeError
        parts.append(part)
    return b"".join(parts)


def _outcome(asked: HttpConfig, response: httpx.Response, body: bytes) -> Outcome:
    if _matches(asked.expect, response.status_code):
        return _success(response, body)
    retryable = _matches(asked.retry_on, response.status_code)
    message = f"{_shown(response)} answered {response.status_code} {response.reason_phrase}".strip()
    delay = _retry_after(response, datetime.now(UTC)) if retryable else None
    if delay is not None:
        return RetryLater(delay, f"{message} and asked to wait {delay:g} s")
    excerpt = clean(body.decode("utf-8", "replace"), EXCERPT)
    details = {"status": response.status_code, "body": excerpt}
    return Failed(message, code="http_status", retryable=retryable, details=details)


def _success(response: httpx.Response, body: bytes) -> Outcome:
    try:
        content = _content(response, body)
    except UnicodeDecodeError:
        return _final(
            "body_not_text",
            f"{_shown(response)} answered {response.headers.get('content-type', 'bytes')}, which "
            "is no text; fetch files in a python node and save them as artifacts",
        )
    except (ValueError, RecursionError) as error:
        return _final("invalid_json_body", f"{_shown(response)} answered broken JSON: {error}")
    return Succeeded(
        {"status": response.status_code, "headers": dict(response.headers), "body": content}
    )


def _content(response: httpx.Response, body: bytes) -> Any:
    """Parsed JSON when the response says it is JSON, else its text; None when there is nothing."""
    if not body:
        return None
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return json.loads(body)
    try:
        return body.decode(response.charset_encoding or "utf-8")
    except LookupError:  # the server names a character set that does not exist
        return body.decode("utf-8")


def _matches(wanted: Iterable[Any], status: int) -> bool:
    return any(one in (status, f"{status // 100}xx") for one in wanted)


def _retry_after(response: httpx.Response, now: datetime) -> float | None:
    """Seconds that the server asks us to wait, given as a number or as a date."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (aware - now).total_seconds()), MAX_RETRY_AFTER)


def _shown(response: httpx.Response) -> str:
    """Method and address for messages: no password, no query (which often holds a key)."""
    url = response.request.url
    return f"{response.request.method} {url.copy_with(username=None, password=None, query=None)}"


def _final(code: str, message: str) -> Failed:
    return Failed(message, code=code, retryable=False)


@cache
def _client_of(loop: asyncio.AbstractEventLoop) -> httpx.AsyncClient:
    # Cookies of one run must not reach the next through the shared client: the jar takes none.
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.AsyncClient(
        cookies=jar,
        follow_redirects=False,
        timeout=None,  # noqa: S113 - the whole exchange has one
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
        headers={"User-Agent": "celesta"},
    )


def _client() -> httpx.AsyncClient:
    """One client for each event loop: connections stay open from node to node."""
    return _client_of(asyncio.get_running_loop())
