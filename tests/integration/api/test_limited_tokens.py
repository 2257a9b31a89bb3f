"""Tokens that reach some workflows only: everything else is refused or not there."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from celesta.access import tokens
from celesta.access.models import Role, Workspace
from tests.integration.api.conftest import DOCUMENT, Api, problem_of
from tests.integration.api.test_roles import ENGINE_VERBS, IDS, NIGHTLY, TABLE
from tests.integration.api.test_roles import _world as _world  # fixtures
from tests.integration.api.test_roles import known as known

#: What a limited token may ask although no workflow is named: the answer holds what it reaches.
LISTS = {
    "GET workflows/", "GET runs/", "GET schedules/", "GET backfills/", "GET dead-letters/",
    "GET me/", "GET node-types/", "POST schedules/preview/", "GET stream/",
    "POST runs/bulk/", "POST dead-letters/bulk/", "GET workspaces/", "GET workspaces/default/",
}  # fmt: skip
#: What is about one workflow, but for what the engine's own connection would have to see.
OWN = [
    (method, address, body)
    for method, address, body, *_ in TABLE
    if ("orders.fulfil" in address or ("{" in address and "token" not in address))
    and not address.endswith((*ENGINE_VERBS, "ws/"))
]


@pytest.fixture
def limited(workspace: Workspace) -> Callable[..., Api]:
    """A factory of admin's clients that reach only the workflows of these names."""

    def make(*names: str, **more: Any) -> Api:
        user = get_user_model().objects.create_superuser("limited")
        issued = tokens.issue(user, workspace, Role.ADMIN, "limited", workflows=names, **more)
        return Api(issued[1])

    return make


@pytest.mark.parametrize(("method", "address", "body", "lowest", "hidden"), TABLE, ids=IDS)
def test_nothing_of_another_workflow_is_reached(
    known: Any, limited: Callable[..., Api], method: str, address: str, body: Any, lowest: Role,
    hidden: bool,
) -> None:  # fmt: skip
    response = limited("orders.other").call(method, address.format(**known), body)

    if f"{method} {address}" in LISTS:
        assert response.status_code == 200, response.content
        rows = {} if address == "stream/" else response.json()
        if address not in ("me/", "node-types/", "workspaces/"):
            assert rows.get("results", []) == []
            assert rows.get("count", 0) == 0
    elif f"{method} {address}" == "GET ws/":
        problem_of(response, 426, "upgrade_required")
    elif address.startswith(("schedules/", "backfills/")) and "{" not in address:
        told = response.json()  # the workflow that the body names is not there
        problem_of(response, 400, told["code"])
        assert told["code"] in ("invalid_schedule", "invalid_backfill")
    else:
        told = response.json()
        problem_of(
            response, 404 if "{" in address and "token" not in address else 403, told["code"]
        )
        assert told["code"] in (
            "workflow_out_of_reach", "run_not_found", "not_found",
        )  # fmt: skip


@pytest.mark.parametrize(("method", "address", "body"), OWN)
def test_its_own_workflow_is_reached_as_ever(
    known: Any, limited: Callable[..., Api], method: str, address: str, body: Any
) -> None:
    response = limited("orders.fulfil").call(method, address.format(**known), body)
    assert response.status_code < 300, response.content


def test_lists_hold_what_it_reaches_and_search_finds_no_more(
    known: Any, api: Api, limited: Callable[..., Api]
) -> None:
    other = DOCUMENT.replace("orders.fulfil", "orders.other")
    assert api.post("workflows/", other).status_code == 201
    made = api.post("workflows/orders.other/runs/", {"params": {"order_id": 1}}).json()
    client = limited("orders.other")

    for query in (
        "",
        "?q=orders",
        f"?q={made['id'][:13]}",
        "?workflow=orders.other",
        "?order=created_at",
    ):
        rows = client.get(f"runs/{query}").json()["results"]
        assert [row["id"] for row in rows] == [made["id"]], query
    assert client.get("runs/?workflow=orders.fulfil").json()["results"] == []
    assert client.get(f"runs/?id={known['run'][:13]}").json()["results"] == []
    names = [row["name"] for row in client.get("workflows/").json()["results"]]
    assert names == ["orders.other"]
    assert client.get(f"runs/{made['id']}/").status_code == 200
    problem_of(client.get(f"runs/{known['run']}/"), 404, "run_not_found")
    counted = {"verb": "cancel", "filter": {"state": ["pending"]}, "dry_run": True}
    assert client.post("runs/bulk/", counted).json()["count"] == 1
    nightly = {**NIGHTLY, "workflow": "orders.other"}
    assert client.post("schedules/", nightly).status_code == 201


def test_a_search_is_not_used_up_by_workflows_out_of_reach(
    api: Api, limited: Callable[..., Api]
) -> None:
    names = [f"orders.{letter}" for letter in "abcdefghijkl"]
    for name in names:
        document = DOCUMENT.replace("orders.fulfil", name)
        assert api.post("workflows/", document).status_code == 201
    made = api.post(f"workflows/{names[-1]}/runs/", {"params": {"order_id": 1}}).json()
    rows = limited(names[-1]).get("runs/?q=orders").json()["results"]
    assert [row["id"] for row in rows] == [made["id"]]


def test_it_is_made_told_and_rotated_with_its_limits(api: Api, known: Any) -> None:
    wanted = {"name": "ci", "role": "operator", "scopes": ["runs:write"]}
    made = api.post("tokens/", {**wanted, "workflows": ["orders.other", "orders.fulfil"]})
    assert made.status_code == 201, made.content
    assert made.json()["workflows"] == ["orders.fulfil", "orders.other"]

    successor = api.post(f"tokens/{made.json()['id']}/rotate/", {"overlap": 0}).json()
    assert successor["workflows"] == ["orders.fulfil", "orders.other"]
    client = Api(successor["secret"])
    start = {"params": {"order_id": 1}}
    assert client.post("workflows/orders.fulfil/runs/", start).status_code == 201
    problem_of(client.post("workflows/orders.third/runs/", start), 403, "workflow_out_of_reach")
    problem_of(client.put("workflows/orders.fulfil/", DOCUMENT), 403, "role_too_low")
    problem_of(client.get("workflows/orders.fulfil/"), 403, "scope_missing")


@pytest.mark.parametrize("name", ["validate", "import", "export"])
def test_a_name_that_is_an_address_too_opens_nothing(
    known: Any, limited: Callable[..., Api], name: str
) -> None:
    client = limited(name)
    if name == "export":
        answer = client.get("workflows/export/")
        assert answer.status_code == 200
        assert b"orders.fulfil" not in answer.content
    else:
        refused = client.post(f"workflows/{name}/", DOCUMENT)
        problem_of(refused, 403, "workflow_out_of_reach")
