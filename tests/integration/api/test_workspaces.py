"""Workspaces and their members: who sees, makes, renames and deletes them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.test import Client

from celesta.access import tokens
from celesta.access.models import Membership, Role, Workspace
from tests.integration.api.conftest import Api, problem_of

SHOP = {"slug": "shop", "name": "The shop"}


@pytest.fixture
def root(workspace: Workspace) -> Callable[..., Api]:
    """A factory of clients with a token of a superuser."""

    def make(role: Role = Role.ADMIN, **limits: Any) -> Api:
        user, _ = get_user_model().objects.get_or_create(username="root", is_superuser=True)
        return Api(tokens.issue(user, workspace, role, "root", **limits)[1])

    return make


@pytest.fixture
def ann(db: None) -> Any:
    return get_user_model().objects.create_user("ann")


def session(user: Any) -> Api:
    """A client with the session of a page."""
    api = Api()
    api.client.force_login(user)
    return api


def test_a_superuser_makes_a_workspace_with_its_members(root: Callable[..., Api], ann: Any) -> None:
    made = root().post("workspaces/", {**SHOP, "members": {"ann": "admin"}})
    assert made.status_code == 201, made.content
    assert made.json() | {"created_at": ""} == {**SHOP, "role": "admin", "created_at": ""}

    problem_of(root().post("workspaces/", SHOP), 409, "name_taken")
    there = Workspace.objects.get(slug="shop")
    assert [(one.user, one.role) for one in there.memberships.all()] == [(ann, "admin")]
    # the token goes on to act in its own workspace only
    problem_of(root().get("workspaces/shop/"), 404, "workspace_not_found")
    by_session = session(get_user_model().objects.get(username="root"))
    assert by_session.get("workspaces/shop/").json()["role"] == "admin"
    assert session(ann).get("workspaces/shop/").json()["name"] == "The shop"


def test_a_member_that_is_nobody_leaves_nothing_behind(root: Callable[..., Api]) -> None:
    refused = root().post("workspaces/", {**SHOP, "members": {"nobody": "admin"}})

    problem_of(refused, 400, "user_unknown")
    assert not Workspace.objects.filter(slug="shop").exists()


def test_who_is_no_superuser_makes_and_deletes_none(
    caller: Callable[..., Api], root: Callable[..., Api]
) -> None:
    for api in (caller(Role.ADMIN), session(get_user_model().objects.get())):
        problem_of(api.post("workspaces/", SHOP), 403, "superusers_only")
        problem_of(api.delete("workspaces/default/"), 403, "superusers_only")
    # neither does a superuser's token that is for less than everything
    problem_of(root(Role.APPROVER).post("workspaces/", SHOP), 403, "role_too_low")
    narrow = root(scopes=["workflows:write"])
    problem_of(narrow.post("workspaces/", SHOP), 403, "scope_missing")
    assert narrow.get("workspaces/").status_code == 200
    problem_of(narrow.get("workspaces/default/members/"), 403, "scope_missing")
    limited = root(workflows=["orders.fulfil"])
    problem_of(limited.post("workspaces/", SHOP), 403, "workflow_out_of_reach")
    assert [row.slug for row in Workspace.objects.all()] == ["default"]


def test_a_workspace_with_workflows_stays(root: Callable[..., Api], published: Any) -> None:
    problem_of(root().delete("workspaces/default/"), 409, "workspace_in_use")

    empty = Workspace.objects.create(**SHOP)
    by_session = session(get_user_model().objects.get(username="root"))
    assert by_session.delete("workspaces/shop/").status_code == 204
    assert not Workspace.objects.filter(pk=empty.pk).exists()


def test_everybody_sees_their_own(
    other_workspace: Workspace, workspace: Workspace, ann: Any
) -> None:
    Workspace.objects.create(**SHOP)
    for there, role in ((workspace, Role.VIEWER), (other_workspace, Role.AUTHOR)):
        Membership.objects.create(workspace=there, user=ann, role=role)

    rows = session(ann).get("workspaces/").json()["results"]
    assert [(row["slug"], row["role"]) for row in rows] == [
        ("default", "viewer"), ("other", "author"),
    ]  # fmt: skip
    first = session(ann).get("workspaces/?limit=1").json()
    assert [row["slug"] for row in session(ann).get(first["next"]).json()["results"]] == ["other"]
    token = Api(tokens.issue(ann, other_workspace, Role.VIEWER, "t")[1])
    assert [row["slug"] for row in token.get("workspaces/").json()["results"]] == ["other"]
    nobody = session(get_user_model().objects.create_user("nobody"))
    problem_of(nobody.get("workspaces/"), 403, "no_workspace")


def test_an_admin_renames_the_own_workspace(api: Api, other_workspace: Workspace) -> None:
    assert api.put("workspaces/default/", SHOP).json()["name"] == "The shop"
    problem_of(api.get("workspaces/default/"), 404, "workspace_not_found")
    problem_of(api.put("workspaces/shop/", {**SHOP, "slug": "other"}), 409, "name_taken")
    problem_of(api.put("workspaces/shop/", {**SHOP, "slug": "a b"}), 400, "invalid_input")
    problem_of(api.put("workspaces/shop/", {"slug": "shop"}), 400, "invalid_input")
    problem_of(api.put("workspaces/other/", SHOP), 404, "workspace_not_found")


def test_a_member_is_added_changed_and_removed(
    api: Api, ann: Any, workspace: Workspace, other_workspace: Workspace
) -> None:
    address = "workspaces/default/members/"
    assert api.post(address, {"user": "ann", "role": "author"}).json() == {
        "user": "ann", "role": "author",
    }  # fmt: skip
    secret = tokens.issue(ann, workspace, Role.AUTHOR, "hers")[1]
    problem_of(api.post(address, {"user": "ann", "role": "viewer"}), 409, "name_taken")
    problem_of(api.post(address, {"user": "bob", "role": "viewer"}), 400, "user_unknown")
    problem_of(api.post(address, {"user": "ann", "role": "god"}), 400, "invalid_input")
    rows = api.get(address).json()["results"]
    assert [row["user"] for row in rows] == ["admin-of-default", "ann"]

    assert api.put(f"{address}ann/", {"role": "viewer"}).json()["role"] == "viewer"
    assert Api(secret).get("me/").json()["workspaces"][0]["role"] == "viewer"
    # a member of one workspace is none of another
    Membership.objects.create(workspace=other_workspace, user=ann, role=Role.ADMIN)
    assert api.get(f"{address}ann/").json() == {"user": "ann", "role": "viewer"}

    assert api.delete(f"{address}ann/").status_code == 204
    problem_of(Api(secret).get("me/"), 401, "token_revoked")
    for again in (api.get(f"{address}ann/"), api.delete(f"{address}ann/")):
        problem_of(again, 404, "not_found")
    assert Membership.objects.filter(user=ann).get().workspace == other_workspace


def test_a_name_may_have_any_letters(api: Api) -> None:
    get_user_model().objects.create(username="a/b@shop.example")
    added = api.post("workspaces/default/members/", {"user": "a/b@shop.example", "role": "viewer"})
    assert added.status_code == 201
    assert api.get("workspaces/default/members/a%2Fb@shop.example/").json()["role"] == "viewer"


def test_the_admin_tells_what_was_done(api: Api, ann: Any, workspace: Workspace) -> None:
    address = "workspaces/default/members/"
    api.post(address, {"user": "ann", "role": "author"})
    api.put(f"{address}ann/", {"role": "viewer"})
    api.delete(f"{address}ann/")
    api.put("workspaces/default/", {**SHOP, "slug": "default"})

    kept = LogEntry.objects.order_by("pk")
    assert [entry.get_change_message() for entry in kept] == [
        "Added membership “ann is author of Default”.",
        "Changed Role for membership “ann is viewer of Default”.",
        "Deleted membership “ann is viewer of Default”.",
        "Changed Slug and Name.",
    ]
    assert {entry.user.get_username() for entry in kept} == {"admin-of-default"}
    root = get_user_model().objects.create_superuser("root", password="x")
    client = Client()
    client.force_login(root)
    page = client.get(f"/admin/celesta_access/workspace/{workspace.pk}/history/")
    assert "ann is author of Default" in page.content.decode()
