"""The one shape of every error: ``application/problem+json`` (RFC 9457) with a code and a list.

``{"type", "title", "status", "code", "detail", "errors": [{"path", "code", "message", ...}]}``
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import psycopg
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from celesta.access.errors import AccessError
from celesta.api.refusals import Refusal
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.runs.errors import DatabaseUnavailable, EngineError
from celesta.workflows.errors import WorkflowError

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 5  # seconds; what callers are told when the database is away

#: Codes of what Django REST Framework itself refuses.
_DRF_CODES: Final[Mapping[type[drf.APIException], str]] = {
    drf.ParseError: "malformed_body",
    drf.AuthenticationFailed: "invalid_credentials",
    drf.NotAuthenticated: "not_authenticated",
    drf.PermissionDenied: "permission_denied",
    drf.NotFound: "not_found",
    drf.MethodNotAllowed: "method_not_allowed",
    drf.NotAcceptable: "not_acceptable",
    drf.UnsupportedMediaType: "unsupported_media_type",
    drf.Throttled: "too_many_requests",
}


def problem(
    status: int,
    code: str,
    detail: str,
    errors: Iterable[Problem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A response that says what is wrong, where, and what to do."""
    body = {
        "type": f"urn:celesta:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [error.as_dict() for error in errors],
    }
    return Response(body, status=status, headers=dict(headers or {}), content_type=CONTENT_TYPE)


def handle(exc: Exception, context: Mapping[str, Any]) -> Response:
    """The exception handler of all our views: every exception becomes a problem."""
    set_rollback()
    known = _from_celesta(exc) or _from_frameworks(exc)
    return known or _unexpected(exc, context)


def _from_celesta(exc: Exception) -> Response | None:
    match exc:
        case DocumentInvalid(problems=problems):
            return problem(_document_status(problems), *_document_summary(problems), problems)
        case DatabaseUnavailable() | OperationalError() | InterfaceError():
            return _database_away()
        case psycopg.OperationalError() | psycopg.InterfaceError():  # the engine's own connection
            return _database_away()
        case EngineError():
            return problem(exc.status, exc.code, exc.detail, exc.problems)
        case AccessError():
            headers = (
                {"WWW-Authenticate": "Bearer"} if exc.status == HTTPStatus.UNAUTHORIZED else {}
            )
            return problem(exc.status, exc.code, exc.detail, headers=headers)
        case WorkflowError():
            return problem(exc.status, exc.code, exc.detail, exc.problems)
        case Refusal():
            return problem(exc.status, exc.code, exc.detail, exc.problems)
    return None


def _document_status(problems: list[Problem]) -> int:
    too_large = any(found.code == "document_too_large" for found in problems)
    return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else HTTPStatus.BAD_REQUEST


def _document_summary(problems: list[Problem]) -> tuple[str, str]:
    count = sum(found.severity == "error" for found in problems)
    return (
        DocumentInvalid.code,
        f"The document has {count} error{'s' * (count != 1)}; see 'errors'.",
    )


def _database_away() -> Response:
    away = DatabaseUnavailable()
    return problem(away.status, away.code, away.detail, headers={"Retry-After": str(RETRY_AFTER)})


def _from_frameworks(exc: Exception) -> Response | None:
    match exc:
        case drf.ValidationError():
            return problem(400, "invalid_input", "The input has errors; see 'errors'.", _flat(exc))
        case drf.APIException():
            code = _DRF_CODES.get(type(exc), exc.default_code)
            return problem(exc.status_code, code, str(exc.detail), headers=_headers(exc))
        case Http404():
            return problem(404, "not_found", "There is nothing of that name here.")
        case PermissionDenied():
            return problem(403, "permission_denied", "You may not do that.")
        case SuspiciousOperation() | UnreadablePostError():
            return problem(400, "malformed_request", "The request could not be read.")
    return None


def _headers(exc: drf.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def _flat(exc: drf.ValidationError) -> list[Problem]:
    return list(_leaves(exc.detail, ""))


def _leaves(detail: Any, path: str) -> Iterator[Problem]:
    """Every leaf of a serializer's nested errors, with the path that leads to it."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            yield from _leaves(inner, _below(path, key))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _leaves(inner, f"{path}[{index}]" if nested else path)
    else:
        yield Problem(code=str(getattr(detail, "code", "invalid")), path=path, message=str(detail))


def _below(path: str, key: Any) -> str:
    if key == "non_field_errors":
        return path
    return f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")


def _unexpected(exc: Exception, context: Mapping[str, Any]) -> Response:
    """A fault of ours: told to the log and to listeners of Django's signal, not to the caller."""
    request = getattr(context.get("request"), "_request", context.get("request"))
    got_request_exception.send(sender=type(context.get("view")), request=request)
    logger.error("internal error in %s", context.get("view"), exc_info=sys.exc_info())
    return problem(
        500,
        "internal_error",
        "This is a fault of the server, not of the request; its log says more.",
    )
