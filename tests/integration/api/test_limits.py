"""Scopes of tokens, their rotation, and how often one may call."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from celesta.access import throttling, tokens, workspaces
from celesta.access.models import Role, Token
from tests.integration.api.conftest import DOCUMENT, Api, problem_of
from tests.webs import WebProcess

START = {"params": {"order_id": 1}}


@pytest.fixture
def scoped(api: Api) -> Callable[..., Api]:
    def make(*scopes: str, role: str = "admin") -> Api:
        made = api.post("tokens/", {"name": "t", "role": role, "scopes": list(scopes)})
        assert made.status_code == 201, made.content
        return Api(made.json()["secret"])

    return make


def test_a_scope_opens_its_part_of_the_api_and_no_other(
    api: Api, scoped: Callable[..., Api], published: Any
) -> None:
    reader, starter = scoped("runs:read"), scoped("runs:write")

    assert reader.get("runs/").status_code == starter.get("runs/").status_code == 200
    assert reader.get("me/").status_code == 200
    problem = problem_of(reader.get("workflows/"), 403, "scope_missing")
    assert "'workflows:read'" in problem["detail"]
    problem_of(reader.post("workflows/orders.fulfil/runs/", START), 403, "scope_missing")
    assert starter.post("workflows/orders.fulfil/runs/", START).status_code == 201
    for address in ("tokens/", "variables/", "schedules/"):
        problem_of(starter.get(address), 403, "scope_missing")
    author = scoped("workflows:write")
    assert author.put("workflows/orders.fulfil/", DOCUMENT).status_code == 200
    assert author.post("workflows/validate/", DOCUMENT).status_code == 200
    assert scoped("admin").get("tokens/").status_code == 200


def test_a_scope_gives_nothing_that_the_role_does_not(
    scoped: Callable[..., Api], published: Any
) -> None:
    viewer = scoped("runs:write", role="viewer")

    problem_of(viewer.post("workflows/orders.fulfil/runs/", START), 403, "role_too_low")


def test_an_unknown_scope_is_refused(api: Api) -> None:
    problem_of(api.post("tokens/", {"name": "t", "scopes": ["runs:rite"]}), 400, "invalid_input")


def test_a_rotated_token_works_until_the_overlap_is_over(api: Api) -> None:
    old = api.post("tokens/", {"name": "t", "role": "viewer", "scopes": ["runs:read"]}).json()

    new = api.post(f"tokens/{old['id']}/rotate/", {"overlap": 60}).json()
    assert (new["name"], new["role"], new["scopes"]) == ("t", "viewer", ["runs:read"])
    assert Api(new["secret"]).get("runs/").status_code == 200
    assert Api(old["secret"]).get("runs/").status_code == 200
    at_once = api.post(f"tokens/{new['id']}/rotate/", {"overlap": 0}).json()
    problem_of(Api(new["secret"]).get("runs/"), 401, "token_expired")
    assert Api(at_once["secret"]).get("runs/").status_code == 200
    problem_of(api.post("tokens/999999/rotate/"), 404, "not_found")
    assert Token.objects.get(pk=new["id"]).digest != new["secret"]


@pytest.fixture
def limited(db: None, settings: Any) -> Iterator[None]:
    settings.CELESTA = {"THROTTLE_TOKEN": 5, "THROTTLE_ADDRESS": 3}
    throttling.forget()
    with connection.cursor() as cursor:  # what real processes of other tests counted just now
        cursor.execute("DELETE FROM celesta_throttle")
    yield
    throttling.forget()


def test_too_many_calls_are_told_when_to_come_back(api: Api, limited: None) -> None:
    for _ in range(2):  # at the turn of a minute the count begins anew, once
        codes = [api.get("me/").status_code for _ in range(6)]
        if codes[-1] == 429:
            break
    assert codes[-1] == 429
    assert codes.count(200) <= 5

    refused = api.get("me/")
    problem_of(refused, 429, "too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 61


def test_strangers_are_counted_by_their_address(api: Api, limited: None) -> None:
    strangers = [Api(), Api("celesta_wrong"), Api("else")]

    codes = [stranger.get("me/").status_code for _ in range(3) for stranger in strangers]

    assert set(codes) == {401, 429}
    assert api.get("me/").status_code == 200  # whoever is known is not held up by them


@pytest.mark.django_db(transaction=True)
def test_two_web_processes_count_together(tmp_path: Path) -> None:
    user = get_user_model().objects.create_superuser("root")
    secret = tokens.issue(user, workspaces.default(), Role.VIEWER, "t")[1]
    limit = {"CELESTA_TEST_THROTTLE": "40", "DJANGO_SETTINGS_MODULE": "tests.settings.throttled"}
    webs = [WebProcess(f"web{number}", tmp_path, limit).start() for number in range(2)]
    try:
        for _ in range(3):  # a minute may turn in between
            codes = [
                httpx.get(
                    f"{web.url}/api/v1/me/",
                    headers={"Authorization": f"Bearer {secret}"},
                    timeout=30,
                ).status_code
                for _ in range(30)
                for web in webs
            ]
            if codes.count(200) <= 40:
                break
    finally:
        for web in webs:
            web.stop()
    assert codes.count(429) >= 20
    assert codes.count(200) <= 40
