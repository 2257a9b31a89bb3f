"""The same streams over WebSocket, for clients that speak."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from django.contrib.auth import get_user_model
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from celesta.runs.models import Run
from tests.faults.conftest import Stage
from tests.integration.streams.conftest import Caller
from tests.integration.streams.test_sse import everything
from tests.webs import WebProcess

pytestmark = pytest.mark.django_db(transaction=True)

Web = Callable[..., WebProcess]


@contextmanager
def socket(
    server: WebProcess, path: str, token: str = "", **headers: str
) -> Iterator[ClientConnection]:
    sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **headers}
    url = f"{server.url}/api/v1/{path}".replace("http:", "ws:")
    with connect(url, additional_headers=sent, open_timeout=60) as opened:
        yield opened


def heard(opened: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(opened.recv(timeout=60))
    return found


def to_the_end(opened: ClientConnection) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    while not told or told[-1]["type"] != "end":
        told.append(heard(opened))
    return told


def ids(told: list[dict[str, Any]], kind: str) -> list[int]:
    return [one["data"]["id"] for one in told if one["type"] == kind]


def refused(server: WebProcess, path: str, token: str = "", **headers: str) -> tuple[int, str]:
    """Status and code of a handshake that is denied."""
    with pytest.raises(InvalidStatus) as caught, socket(server, path, token, **headers):
        pass
    answer = caught.value.response
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status_code, orjson.loads(answer.body)["code"]


@pytest.fixture
def run(stage: Stage) -> Run:
    stage.worker()
    return stage.ends(stage.start({"a": stage.node("test.speak")}))


def test_a_run_is_followed_and_resumed(run: Run, web: Web, token: str) -> None:
    server = web()
    with socket(server, f"runs/{run.pk}/ws/", token) as opened:
        told = to_the_end(opened)
        with pytest.raises(ConnectionClosed):
            opened.recv(timeout=60)
    events, lines = everything(run)
    assert (ids(told, "event"), ids(told, "log")) == (events, lines)
    with socket(server, f"runs/{run.pk}/ws/?after={told[2]['id']}", token) as opened:
        assert to_the_end(opened) == told[3:]


def test_a_client_subscribes_resumes_and_ends(
    run: Run, stage: Stage, web: Web, token_of: Caller, token: str
) -> None:
    server = web()
    with socket(server, "ws/", token) as opened:
        opened.send(orjson.dumps({"unsubscribe": {}}).decode())
        opened.send(orjson.dumps({"subscribe": {"run": str(run.pk)}}).decode())
        assert heard(opened) == {"type": "subscribed", "run": str(run.pk)}
        events, lines = everything(run)
        told = to_the_end(opened)
        assert (ids(told, "event"), ids(told, "log")) == (events, lines)
    with socket(server, "ws/", token) as opened:
        opened.send(orjson.dumps({"after": f"{events[0] - 1}.0"}).decode())
        while (first := heard(opened))["data"]["run"] != str(run.pk):
            pass
        assert first["data"]["id"] == events[0]
        opened.send(orjson.dumps({"unsubscribe": {}}).decode())
        for said, code in [
            ("no JSON", "malformed_message"),
            ('{"what": 1}', "malformed_message"),
            ('{"after": "x"}', "invalid_query"),
            ('{"subscribe": {"run": "x"}}', "run_not_found"),
            (f'{{"subscribe": {{"run": "{uuid4()}"}}}}', "run_not_found"),
        ]:
            opened.send(said)
            while (answer := heard(opened))["type"] != "error":
                pass
            assert answer["problem"]["code"] == code
    other = token_of(slug="other")
    with socket(server, "ws/", other) as opened:  # of another workspace
        opened.send(orjson.dumps({"subscribe": {"run": str(run.pk)}}).decode())
        assert heard(opened)["problem"]["code"] == "run_not_found"


def test_a_token_may_come_as_the_first_message(run: Run, web: Web, token: str) -> None:
    server = web()
    with socket(server, f"runs/{run.pk}/ws/") as opened:
        opened.send(orjson.dumps({"token": token}).decode())
        assert heard(opened)["data"]["kind"] == "run_pending"
    for said in ('{"token": "celesta_wrong"}', "no JSON"):
        with socket(server, f"runs/{run.pk}/ws/") as opened:
            opened.send(said)
            assert heard(opened)["problem"]["status"] == 401
            with pytest.raises(ConnectionClosed) as closed:
                opened.recv(timeout=60)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401


def test_who_may_not_see_is_denied(run: Run, web: Web, token: str, token_of: Caller) -> None:
    server = web()
    path = f"runs/{run.pk}/ws/"
    assert refused(server, path, "celesta_wrong") == (401, "invalid_token")
    assert refused(server, path, token_of(slug="other")) == (404, "run_not_found")
    assert refused(server, f"runs/{uuid4()}/ws/", token) == (404, "run_not_found")
    assert refused(server, f"{path}?after=x", token) == (400, "invalid_query")
    narrow = token_of(scopes=("workflows:read",))
    assert refused(server, path, narrow) == refused(server, "ws/", narrow)
    assert refused(server, path, narrow)[0] == 403
    with socket(server, path, token_of(scopes=("runs:read",))) as opened:
        assert heard(opened)["data"]["kind"] == "run_pending"


def test_a_page_of_another_site_cannot_use_the_session(
    run: Run, web: Web, token_of: Caller
) -> None:
    server = web()
    token_of()
    name = get_user_model().objects.order_by("-pk").values_list("username", flat=True)[0]
    with httpx.Client(base_url=server.url, timeout=60) as browser:
        browser.get("/admin/login/")
        form = {
            "username": name,
            "password": "secret",
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        assert browser.post("/admin/login/?next=/", data=form).status_code == 302
        cookie = {"Cookie": f"sessionid={browser.cookies['sessionid']}"}
    path = f"runs/{run.pk}/ws/"
    for origin in ("https://evil.example", "null", f"{server.url}.evil.example"):
        assert refused(server, path, **cookie, Origin=origin) == (403, "origin_not_allowed")
    for origin in (server.url, "https://ops.example"):  # our own, and one that the settings name
        with socket(server, path, **cookie, Origin=origin) as opened:
            assert heard(opened)["data"]["kind"] == "run_pending"


def test_a_plain_request_is_told_and_other_sockets_are_not_ours(web: Web, token: str) -> None:
    server = web()
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{server.url}/api/v1/ws/", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (426, "upgrade_required")
    with pytest.raises(InvalidStatus) as caught, socket(server, "somewhere/else/", token):
        pass
    assert caught.value.response.status_code == 403  # and no error of the server's
