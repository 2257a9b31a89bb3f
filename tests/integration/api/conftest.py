"""A workspace with a caller of every role, and a client that speaks JSON."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from django.contrib.auth import get_user_model
from django.http import HttpResponseBase
from django.test import Client

from celesta.access import tokens, workspaces
from celesta.access.models import Membership, Role, Workspace
from celesta.runs import connection as hot

DOCUMENT = """\
workflow: orders.fulfil
title: Fulfil an order
tags: [shop]
params:
  type: object
  required: [order_id]
  properties:
    order_id: {type: integer}
    express: {type: boolean, default: false}
nodes:
  fetch:
    type: transform
    with: {output: "{{ params.order_id }}"}
  ship:
    type: transform
    needs: [fetch]
    with: {output: "{{ nodes.fetch.output }}"}
output: "{{ nodes.ship.output }}"
"""


@dataclass
class Api:
    """Calls the API with a token; a dict or list goes as JSON, a string as YAML, a zip as it is."""

    token: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=Client)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The response to a call of /api/v1/<path>."""
        kind = "application/yaml" if isinstance(body, str) else "application/json"
        kind = "application/zip" if isinstance(body, bytes) and body[:2] == b"PK" else kind
        data = body if isinstance(body, str | bytes) else orjson.dumps(body)
        sent = {
            **self.headers,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        path = path.removeprefix("http://testserver")
        return self.client.generic(
            method,
            path if path.startswith("/") else f"/api/v1/{path}",
            b"" if body is None else data,
            content_type=kind,
            headers=sent,
        )

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.call("DELETE", path, **headers)


def problem_of(response: HttpResponseBase, status: int, code: str) -> dict[str, Any]:
    """The problem in a response, after checking that it has the one shape of every error."""
    body: dict[str, Any] = orjson.loads(response.content)  # type: ignore[attr-defined]
    assert response.status_code == status, body
    assert response.headers["Content-Type"] == "application/problem+json"
    assert body.keys() == {"type", "title", "status", "code", "detail", "errors"}
    assert body["status"] == status
    assert body["code"] == code
    assert body["detail"]
    for error in body["errors"]:
        assert {"path", "code", "message", "hint", "line", "column"} <= error.keys()
    return body


@pytest.fixture(autouse=True)
def _hot_connection() -> Iterator[None]:
    """Leave no connection of the engine's own to the test database behind."""
    yield
    hot.close()


@pytest.fixture
def workspace(db: None) -> Workspace:
    return workspaces.default()


@pytest.fixture
def other_workspace(db: None) -> Workspace:
    return Workspace.objects.create(slug="other", name="Other")


def client_of(role: Role, home: Workspace) -> Api:
    """A client of a member who has that role there."""
    users = get_user_model().objects
    user, _ = users.get_or_create(username=f"{role.value}-of-{home.slug}")
    Membership.objects.get_or_create(workspace=home, user=user, defaults={"role": role})
    return Api(tokens.issue(user, home, role, "test")[1])


@pytest.fixture
def caller(workspace: Workspace) -> Callable[..., Api]:
    """A factory of clients: ``caller(Role.AUTHOR)``, in the default workspace unless told."""

    def make(role: Role = Role.ADMIN, where: Workspace | None = None) -> Api:
        return client_of(role, where or workspace)

    return make


@pytest.fixture
def api(caller: Callable[..., Api]) -> Api:
    """A client that may do everything in the default workspace."""
    return caller(Role.ADMIN)


@pytest.fixture
def published(api: Api) -> dict[str, Any]:
    """The workflow ``orders.fulfil``, published."""
    return publish(api)


def publish(api: Api) -> dict[str, Any]:
    """Publish the workflow ``orders.fulfil``."""
    response = api.post("workflows/", DOCUMENT)
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body
