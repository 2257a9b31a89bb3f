"""Callers: tokens, sessions, workspaces; and the variables of a workspace."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from celesta.access import tokens
from celesta.access.models import Membership, Role, Token, Workspace
from tests.integration.api.conftest import Api, problem_of


def test_me_says_who_i_am(api: Api) -> None:
    assert api.get("me/").json() == {
        "name": "admin-of-default (test)",
        "workspace": "default",
        "workspaces": [{"slug": "default", "name": "Default", "role": "admin"}],
    }


def test_a_token_is_made_used_and_deleted(api: Api) -> None:
    made = api.post("tokens/", {"name": "ci", "role": "viewer"}).json()
    ci = Api(made["secret"])

    assert ci.get("me/").json()["workspaces"][0]["role"] == "viewer"
    listed = api.get("tokens/").json()["results"][0]
    assert listed["name"] == "ci"
    assert "secret" not in listed
    assert made["secret"] not in str(api.get("tokens/").content)

    assert api.delete(f"tokens/{made['id']}/").status_code == 204
    problem_of(ci.get("me/"), 401, "invalid_token")
    problem_of(api.delete(f"tokens/{made['id']}/"), 404, "not_found")


def test_a_token_that_has_expired_is_told_so(api: Api) -> None:
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    made = api.post("tokens/", {"name": "ci", "role": "viewer", "expires_at": soon}).json()
    assert Api(made["secret"]).get("me/").status_code == 200

    Token.objects.filter(pk=made["id"]).update(expires_at=timezone.now())

    problem_of(Api(made["secret"]).get("me/"), 401, "token_expired")


def test_a_token_that_could_never_be_used_is_not_made(api: Api) -> None:
    past = {"name": "ci", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}
    problem_of(api.post("tokens/", past), 400, "expiry_passed")
    made = api.post("tokens/", {"name": "ci", "role": "viewer"}).json()
    Token.objects.filter(pk=made["id"]).update(expires_at=timezone.now())
    problem_of(api.post(f"tokens/{made['id']}/rotate/"), 409, "token_over")
    assert Token.objects.filter(name="ci").count() == 1


def test_nobody_rotates_the_token_of_somebody_else(api: Api, workspace: Workspace) -> None:
    ann = get_user_model().objects.create_user("ann")
    Membership.objects.create(workspace=workspace, user=ann, role=Role.VIEWER)
    hers, secret = tokens.issue(ann, workspace, Role.VIEWER, "hers")
    root = Client()
    root.force_login(get_user_model().objects.create_superuser("root"))

    problem_of(api.post(f"tokens/{hers.pk}/rotate/"), 403, "token_of_another")
    address = f"/api/v1/tokens/{hers.pk}/rotate/"
    refused = root.post(address, "{}", content_type="application/json")
    problem_of(refused, 403, "token_of_another")
    assert Token.objects.filter(user=ann).count() == 1
    assert Api(secret).get("me/").status_code == 200  # and it was not cut short
    assert api.get(f"tokens/{hers.pk}/").json()["user"] == "ann"
    assert api.delete(f"tokens/{hers.pk}/").status_code == 204
    problem_of(Api(secret).get("me/"), 401, "invalid_token")


def test_a_token_has_one_successor_and_the_time_that_was_promised(api: Api) -> None:
    made = api.post("tokens/", {"name": "ci", "role": "viewer"}).json()
    address = f"tokens/{made['id']}/"
    successor = api.post(f"{address}rotate/", {"overlap": 86_400}).json()
    promised = api.get(address).json()["expires_at"]

    problem_of(api.post(f"{address}rotate/", {"overlap": 0}), 409, "token_rotated")
    assert api.get(address).json()["expires_at"] == promised
    assert Api(made["secret"]).get("me/").status_code == 200
    assert Token.objects.filter(name="ci").count() == 2
    assert successor["rotated_at"] is None
    third = api.post(f"tokens/{successor['id']}/rotate/", {"overlap": 0}).json()
    assert third["expires_at"] is None  # as the first one was made for ever
    problem_of(Api(successor["secret"]).get("me/"), 401, "token_expired")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-14:00", "x"])
def test_an_expiry_must_be_a_moment(api: Api, moment: str) -> None:
    response = api.post("tokens/", {"name": "ci", "role": "viewer", "expires_at": moment})

    assert problem_of(response, 400, "invalid_input")["errors"][0]["path"] == "expires_at"


def test_a_session_reads_and_needs_csrf_to_write(workspace: Workspace) -> None:
    user = get_user_model().objects.create_superuser("root", password="x")
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)

    assert client.get("/api/v1/me/").json()["workspaces"][0]["role"] == "admin"
    refused = client.post("/api/v1/variables/", {"name": "a", "value": 1}, "application/json")
    problem_of(refused, 403, "permission_denied")

    client.get("/admin/login/")
    page = client.get("/api/docs/")
    token = page.context["csrf_token"]
    accepted = client.post(
        "/api/v1/variables/",
        {"name": "a", "value": 1},
        "application/json",
        headers={"X-CSRFToken": str(token)},
    )
    assert accepted.status_code == 201


def test_a_user_without_a_workspace_may_nothing(workspace: Workspace) -> None:
    client = Client()
    client.force_login(get_user_model().objects.create_user("new"))

    problem_of(client.get("/api/v1/runs/"), 403, "no_workspace")


def test_a_member_of_several_workspaces_says_which(db: None) -> None:
    user = get_user_model().objects.create_user("both")
    for slug in ("blue", "green"):
        there = Workspace.objects.create(slug=slug, name=slug.title())
        Membership.objects.create(user=user, workspace=there, role=Role.AUTHOR)
    client = Client()
    client.force_login(user)

    problem_of(client.get("/api/v1/me/"), 400, "workspace_unclear")
    for asked in (
        client.get("/api/v1/me/?workspace=green"),
        client.get("/api/v1/me/", headers={"X-Celesta-Workspace": "green"}),
    ):
        assert asked.json()["workspace"] == "green"
    problem_of(client.get("/api/v1/me/?workspace=default"), 404, "workspace_not_found")


def test_a_run_is_found_in_whichever_workspace_it_is(
    api: Api, published: Any, other_workspace: Workspace
) -> None:
    run = api.post("workflows/orders.fulfil/runs/", {"params": {"order_id": 1}}).json()["id"]
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("root"))

    assert client.get(f"/api/v1/runs/{run}/").status_code == 200
    elsewhere = client.get(f"/api/v1/runs/{run}/?workspace=other")
    problem_of(elsewhere, 404, "run_not_found")


def test_a_variable_that_runs_would_read_rounded_is_refused(api: Api) -> None:
    refused = api.post("variables/", b'{"name": "wei", "value": [100000000000000000000]}')
    assert refused.status_code == 400
    (told,) = refused.json()["errors"]
    assert told["path"] == "value"
    assert "64 bits" in told["message"]
    assert api.post("variables/", {"name": "wei", "value": [1e20]}).status_code == 201


def test_variables_are_made_read_changed_and_deleted(api: Api) -> None:
    made = api.post("variables/", {"name": "shop_url", "value": {"a": [1]}, "description": "Shop"})
    assert made.status_code == 201
    assert made.json()["value"] == {"a": [1]}
    problem_of(api.post("variables/", {"name": "shop_url", "value": 2}), 409, "name_taken")

    assert api.put("variables/shop_url/", {"value": None}).json()["value"] is None
    assert api.get("variables/shop_url/").json()["value"] is None
    assert [v["name"] for v in api.get("variables/").json()["results"]] == ["shop_url"]
    assert api.delete("variables/shop_url/").status_code == 204
    problem_of(api.get("variables/shop_url/"), 404, "not_found")


@pytest.mark.parametrize("name", ["", "a-b", "1a", "a.b", "a\n", "x" * 101, 7, None])
def test_a_variable_needs_a_name_that_expressions_can_read(api: Api, name: Any) -> None:
    problem = problem_of(api.post("variables/", {"name": name, "value": 1}), 400, "invalid_input")

    assert problem["errors"][0]["path"] == "name"


def test_two_workspaces_have_their_own_variables(
    caller: Callable[..., Api], other_workspace: Workspace
) -> None:
    here, there = caller(Role.AUTHOR), caller(Role.AUTHOR, other_workspace)

    assert here.post("variables/", {"name": "a", "value": 1}).status_code == 201
    assert there.post("variables/", {"name": "a", "value": 2}).status_code == 201
    assert here.get("variables/a/").json()["value"] == 1


def test_a_document_may_only_use_variables_that_are_there(api: Api) -> None:
    document = (
        "workflow: uses\nnodes:\n  a:\n    type: transform\n    with: {output: '{{ vars.shop }}'}\n"
    )
    problem = problem_of(api.post("workflows/", document), 400, "invalid_document")
    assert problem["errors"][0]["path"] == "nodes.a.with.output"

    api.post("variables/", {"name": "shop", "value": 1})

    assert api.post("workflows/", document).status_code == 201


def test_node_types_come_with_their_schema(api: Api) -> None:
    types = {row["name"]: row for row in api.get("node-types/").json()}

    assert {"python", "celery", "http", "transform", "branch", "map", "wait"} <= types.keys()
    assert types["http"]["schema"]["properties"]["url"]
    assert all(row["title"] and row["summary"] for row in types.values())


def test_the_projects_own_settings_do_not_change_ours(api: Api, settings: Settings) -> None:
    """A project whose REST_FRAMEWORK says otherwise in every respect gets the same API."""
    from rest_framework.settings import reload_api_settings

    settings.REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.BasicAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.BrowsableAPIRenderer"],
        "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.FormParser"],
        "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
        "EXCEPTION_HANDLER": "nowhere.to_be_found",
        "DATETIME_FORMAT": "%Y",
        "UNAUTHENTICATED_USER": None,
        "URL_FORMAT_OVERRIDE": "as",
    }
    reload_api_settings(setting="REST_FRAMEWORK")
    try:
        made = api.post("tokens/", {"name": "ci", "role": "viewer"}).json()
        assert made["created_at"].endswith("Z")
        assert "T" in made["created_at"]
        problem_of(Api().get("me/"), 401, "not_authenticated")
        problem_of(api.get("nothing/"), 404, "not_found")
    finally:
        del settings.REST_FRAMEWORK
        reload_api_settings(setting="REST_FRAMEWORK")


def test_a_token_can_be_used_by_a_member_only(caller: Callable[..., Api]) -> None:
    author = caller(Role.AUTHOR)
    assert author.get("me/").status_code == 200

    Membership.objects.filter(user__username="author-of-default").update(role=Role.VIEWER)
    assert author.get("me/").json()["workspaces"][0]["role"] == "viewer"
    Membership.objects.filter(user__username="author-of-default").delete()
    problem_of(author.get("me/"), 401, "token_revoked")


def test_what_a_role_may_not_read_it_may_not_weigh(caller: Callable[..., Api]) -> None:
    assert caller(Role.ADMIN).call("head", "tokens/").status_code == 200
    assert caller(Role.VIEWER).call("head", "tokens/").status_code == 403


def test_an_author_cannot_hand_out_more_than_the_role_has(caller: Callable[..., Api]) -> None:
    admin = caller(Role.ADMIN)
    Membership.objects.filter(user__username="admin-of-default").update(role=Role.ADMIN)
    owner = get_user_model().objects.get(username="admin-of-default")
    viewer = get_user_model().objects.create_user("viewer")
    Membership.objects.create(
        user=viewer, workspace=Workspace.objects.get(slug="default"), role=Role.VIEWER
    )

    from celesta.access.errors import RoleTooLow

    with pytest.raises(RoleTooLow):
        tokens.issue(viewer, Workspace.objects.get(slug="default"), Role.OPERATOR, "more")
    assert tokens.issue(owner, Workspace.objects.get(slug="default"), Role.ADMIN, "same")
    problem_of(admin.post("tokens/", {"name": "x", "role": "god"}), 400, "invalid_input")
