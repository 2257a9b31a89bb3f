"""Every exception becomes a problem of one shape."""

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions as drf
from rest_framework import serializers

from celesta.access.errors import RoleTooLow, TokenExpired
from celesta.api.problems import handle
from celesta.graph.problems import DocumentInvalid, Problem
from celesta.runs.errors import DatabaseUnavailable, ParamsInvalid, RunNotFound
from celesta.workflows.errors import WorkflowExists


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (drf.ParseError(), 400, "malformed_body"),
        (drf.NotAuthenticated(), 401, "not_authenticated"),
        (drf.AuthenticationFailed(), 401, "invalid_credentials"),
        (drf.PermissionDenied(), 403, "permission_denied"),
        (drf.NotFound(), 404, "not_found"),
        (drf.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (drf.NotAcceptable(), 406, "not_acceptable"),
        (drf.UnsupportedMediaType("text/x"), 415, "unsupported_media_type"),
        (drf.Throttled(7), 429, "too_many_requests"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (RequestDataTooBig(), 400, "malformed_request"),
        (OperationalError(), 503, "database_unavailable"),
        (DatabaseUnavailable(), 503, "database_unavailable"),
        (RunNotFound(), 404, "run_not_found"),
        (TokenExpired(), 401, "token_expired"),
        (RoleTooLow(), 403, "role_too_low"),
        (WorkflowExists(), 409, "workflow_exists"),
        (DocumentInvalid([Problem("document_too_large", "", "big")]), 413, "invalid_document"),
        (ParamsInvalid(problems=[Problem("x", "params.a", "no")]), 400, "invalid_params"),
    ],
)
def test_status_and_code(error: Exception, status: int, code: str) -> None:
    response = handle(error, {})

    body: Any = response.data
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["title"]
    assert body["detail"]
    assert body["type"] == f"urn:celesta:problem:{code}"


def test_waiting_times_are_told() -> None:
    assert handle(drf.Throttled(7), {}).headers["Retry-After"] == "7"
    assert handle(OperationalError(), {}).headers["Retry-After"] == "5"


def test_problems_keep_path_line_and_hint() -> None:
    found = Problem("cyclic_dependency", "nodes.a.needs[0]", "a -> b -> a", "Break it.", line=4)

    body: Any = handle(DocumentInvalid([found]), {}).data

    assert body["errors"] == [found.as_dict()]
    assert body["detail"].startswith("The document has 1 error;")


class Inner(serializers.Serializer[Any]):
    number = serializers.IntegerField()


class Outer(serializers.Serializer[Any]):
    inner = Inner(many=True)
    name = serializers.CharField()


def test_paths_lead_into_nested_bodies() -> None:
    outer = Outer(data={"inner": [{"number": 1}, {"number": "x"}, 7]})
    with pytest.raises(drf.ValidationError) as caught:
        outer.is_valid(raise_exception=True)

    body: Any = handle(caught.value, {}).data

    assert {(e["path"], e["code"]) for e in body["errors"]} == {
        ("inner[1].number", "invalid"),
        ("inner[2]", "invalid"),
        ("name", "required"),
    }
