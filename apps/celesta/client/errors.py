"""What can go wrong between a client and the API, each with the problem that the API told."""

from __future__ import annotations

from typing import Any, Final

import httpx


class CelestaError(Exception):
    """The API refused, failed, or could not be reached.

    ``status`` is the HTTP status (0: no answer), ``code`` is stable, ``errors`` has one dictionary
    for each thing that is wrong: ``{path, code, message, hint, ...}``.
    """

    def __init__(
        self,
        detail: str,
        status: int = 0,
        code: str = "",
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        self.detail = detail
        self.status = status
        self.code = code
        self.errors = errors or []
        super().__init__(f"{detail} [{code}]" if code else detail)


class Unreachable(CelestaError):
    """Nobody answered, or the connection broke."""


class Invalid(CelestaError):
    """What was sent makes no sense (400, 413, 415 and the like)."""


class NotAuthenticated(CelestaError):
    """There is no token, or it is not known, or no longer good (401)."""


class Denied(CelestaError):
    """The token's role or scopes do not allow that (403)."""


class NotFound(CelestaError):
    """There is no such thing, or the token may not see it (404)."""


class Conflict(CelestaError):
    """It does not go with how things stand (409, 412, 428)."""


class TooManyRequests(CelestaError):
    """Called too often, and still so after waiting (429)."""


class Unavailable(CelestaError):
    """The service is not ready, and still so after waiting (502, 503, 504)."""


class ServerFault(CelestaError):
    """The service has a fault; its log says more (500)."""


_BY_STATUS: Final[dict[int, type[CelestaError]]] = {
    401: NotAuthenticated,
    403: Denied,
    404: NotFound,
    409: Conflict,
    412: Conflict,
    428: Conflict,
    429: TooManyRequests,
    500: ServerFault,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def of_response(response: httpx.Response) -> CelestaError:
    """The error that an answer of 400 and above stands for."""
    kind = _BY_STATUS.get(response.status_code, Invalid)
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        return kind(f"{response.status_code} {response.reason_phrase}", response.status_code)
    return kind(
        str(problem.get("detail") or response.reason_phrase),
        response.status_code,
        str(problem.get("code", "")),
        problem.get("errors") or [],
    )
