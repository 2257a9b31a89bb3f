"""Sending requests: what may be repeated is repeated, after as long as the server asks for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from celesta.client.errors import CelestaError, Unreachable, of_response

ATTEMPTS: Final = 5
FIRST_PAUSE: Final = 0.2  # seconds; doubles
LONGEST_PAUSE: Final = 60.0
#: Answers after which nothing was done, so that any call may be repeated.
NOTHING_DONE: Final = (429, 503)
#: Answers after which it is not known what was done.
UNKNOWN: Final = (500, 502, 504)
REPEATABLE: Final = ("GET", "HEAD", "PUT", "DELETE")


class Transport:
    """One connection pool to one API, with one token."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        workspace: str = "",
        timeout: float = 30.0,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        verify: bool | str = True,
    ) -> None:
        address = url.rstrip("/")
        self.base = address if address.endswith("/api/v1") else f"{address}/api/v1"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if workspace:
            headers["X-Celesta-Workspace"] = workspace
        _check(headers)
        self._http = httpx.Client(headers=headers, timeout=timeout, verify=verify)
        self._timeout = timeout
        self.attempts = attempts
        self._sleep = sleep

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        content: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        waits: float = 0.0,
    ) -> httpx.Response:
        """The answer to a call; ``waits`` is how many seconds the server may take its time.

        A GET, PUT or DELETE, and a POST with an Idempotency-Key, is repeated when the connection
        breaks or the server fails; any call is, when nothing was done (429, 503).
        Raises a CelestaError for an answer of 400 and above, and Unreachable for none.
        """
        sent = dict(headers or {})
        _check(sent)
        again = method in REPEATABLE or "Idempotency-Key" in sent
        attempt = 0
        while True:
            attempt += 1
            try:
                response = self._http.request(
                    method,
                    self.address(path),
                    params={k: v for k, v in (query or {}).items() if v is not None} or None,
                    json=json,
                    content=content,
                    headers=sent,
                    timeout=self._timeout + waits,
                )
            except httpx.TransportError as error:
                never_left = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if attempt >= self.attempts or not (again or never_left):
                    raise Unreachable(f"{self.base}: {error or type(error).__name__}") from error
                self._sleep(pause_before(attempt))
                continue
            if response.status_code < httpx.codes.BAD_REQUEST:
                self._expect_the_api(response)
                return response
            repeat = response.status_code in NOTHING_DONE or (
                again and response.status_code in UNKNOWN
            )
            if attempt >= self.attempts or not repeat:
                raise of_response(response)
            self._sleep(asked_for(response) or pause_before(attempt))

    def _expect_the_api(self, response: httpx.Response) -> None:
        """Raise Unreachable for a redirect or a page: somebody else answers at this address."""
        if response.has_redirect_location:
            place = response.headers["Location"]
            raise Unreachable(f"{self.base} sends on to {place}; is the address right?")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise Unreachable(f"{self.base} answers with a page; is the address right?")

    def address(self, path: str) -> str:
        """The address of a path of the API, or one of its own addresses as it stands."""
        if not path.startswith(("http://", "https://")):
            return f"{self.base}/{path.lstrip('/')}"
        if urlsplit(path)[:2] != urlsplit(self.base)[:2]:
            # A token is sent to its own server only, whatever an answer says.
            raise Unreachable(f"{path} is not an address of {self.base}")
        return path

    def rows(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Every row of a list, page by page as they are needed."""
        body = self.call("GET", path, query=query).json()
        while True:
            yield from body["results"]
            if not body["next"]:
                return
            body = self.call("GET", body["next"]).json()

    def open(
        self, path: str, headers: Mapping[str, str], silence: float
    ) -> AbstractContextManager[httpx.Response]:
        """An answer that is read while it comes; ``silence`` seconds without a byte end it.

        Nothing is checked and nothing repeated; headers without a value are not sent.
        """
        sent = {name: value for name, value in headers.items() if value}
        timeout = httpx.Timeout(self._timeout, read=silence)
        return self._http.stream("GET", self.address(path), headers=sent, timeout=timeout)

    def download(self, path: str) -> Iterator[bytes]:
        """The bytes of a file, piece by piece; raises as :meth:`call` does, without repeating."""
        try:
            with self._http.stream("GET", self.address(path)) as response:
                if response.status_code >= httpx.codes.BAD_REQUEST:
                    response.read()
                    raise of_response(response)
                yield from response.iter_bytes()
        except httpx.TransportError as error:
            raise Unreachable(f"{self.base}: {error or type(error).__name__}") from error


def _check(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable():
            told = "the token" if name == "Authorization" else name
            raise CelestaError(f"{told} may hold printable ASCII only")


def pause_before(attempt: int) -> float:
    """Seconds until what failed for the ``attempt``-th time is tried again."""
    # Half of it by chance: clients that failed together do not come back together.
    pause: float = FIRST_PAUSE * 2 ** (attempt - 1)
    return min(pause, LONGEST_PAUSE) * (0.5 + random.random() / 2)  # noqa: S311 - no secret


def asked_for(response: httpx.Response) -> float:
    """Seconds for which the server asks callers to wait, 0 when it does not say."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), LONGEST_PAUSE) if text.isascii() and text.isdigit() else 0.0
