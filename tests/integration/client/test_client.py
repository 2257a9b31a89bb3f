"""The Python client against a real service, and against servers that fail."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from celesta.client import (
    Celesta,
    Conflict,
    Invalid,
    NotAuthenticated,
    NotFound,
    RunRefused,
    ServerFault,
    TooManyRequests,
    Unreachable,
)
from tests.integration.client.conftest import DOCUMENT, Service
from tests.processes import PATH

# Only so that there is a test database: what the service does is committed for real.
pytestmark = pytest.mark.django_db


def test_it_needs_neither_django_nor_settings() -> None:
    code = "import sys, celesta.client; assert 'django' not in sys.modules, 'Django is loaded'"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": PATH}, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_from_a_document_to_the_output(client: Celesta) -> None:
    assert client.workflows.validate(DOCUMENT)["valid"]
    assert client.workflows.get("orders.fulfil")["params_schema"]["required"] == ["order_id"]
    assert "orders.fulfil" in [row["name"] for row in client.workflows.list(q="fulf")]

    run = client.runs.start("orders.fulfil", {"order_id": 5})
    ended = client.runs.wait(run["id"], 60, check=True)

    assert (ended["state"], ended["output"]) == ("succeeded", 2.0)
    assert client.runs.get(run["id"][:18])["id"] == run["id"]
    assert {node["name"] for node in client.runs.nodes(run["id"])} >= {"fetch", "rest", "ship"}
    assert client.runs.node(run["id"], "fetch")["output"] == 5
    assert client.workflows.export("orders.fulfil").startswith("workflow: orders.fulfil")


def test_a_run_is_watched_from_its_beginning_to_its_end(client: Celesta) -> None:
    run = client.runs.start("orders.fulfil", {"order_id": 1, "pause": "1s"})

    events = list(client.runs.watch(run["id"], 0.5))

    assert (events[0]["kind"], events[-1]["kind"]) == ("run_pending", "run_succeeded")
    assert len({event["id"] for event in events}) == len(events)


def test_a_run_that_fails_is_told_and_repaired(client: Celesta) -> None:
    run = client.runs.start("orders.fulfil", {"order_id": 0})
    with pytest.raises(RunRefused) as refused:
        client.runs.wait(run["id"], 60, check=True)
    assert refused.value.run["state"] == "failed"

    again = client.runs.rerun(run["id"])
    assert again["rerun_of"] == run["id"]
    assert client.runs.wait(again["id"], 60)["state"] == "failed"


def test_pause_resume_and_cancel(client: Celesta) -> None:
    run = client.runs.start("orders.fulfil", {"order_id": 1, "pause": "1h"})

    assert client.runs.pause(run["id"], "lunch")["state"] == "paused"
    assert client.runs.resume(run["id"])["state"] in ("running", "pending")
    client.runs.cancel(run["id"], "enough")
    assert client.runs.wait(run["id"], 60)["state"] == "cancelled"


def test_one_key_is_one_run_and_many_are_started_at_once(client: Celesta) -> None:
    first = client.runs.start("orders.fulfil", {"order_id": 7}, key="order-7")
    assert client.runs.start("orders.fulfil", {"order_id": 7}, key="order-7")["id"] == first["id"]
    with pytest.raises(Conflict):
        client.runs.start("orders.fulfil", {"order_id": 8}, key="order-7")

    told = client.runs.start_many("orders.fulfil", [{"params": {"order_id": n}} for n in (1, "x")])
    assert (told["created"], told["refused"]) == (1, 1)


def test_lists_are_followed_over_their_pages(client: Celesta) -> None:
    client.runs.start_many("orders.fulfil", [{"params": {"order_id": 1}} for _ in range(12)])

    found = list(client.runs.list(limit=5, fields="id"))

    assert len({row["id"] for row in found}) == len(found) >= 12


def test_schedules_and_tokens(client: Celesta, service: Service) -> None:
    made = client.schedules.create(
        "nightly", "orders.fulfil", cron="0 2 * * *", params={"order_id": 1}
    )
    assert len(client.schedules.next(made["id"], 3)) == 3
    assert client.schedules.verb(made["id"], "pause")["paused"] is True
    client.schedules.delete(made["id"])
    with pytest.raises(NotFound):
        client.schedules.get(made["id"])

    token = client.tokens.create("reader", "viewer", scopes=["runs:read"])
    assert Celesta(service.url, token["secret"]).me()["name"].endswith("(reader)")
    client.tokens.delete(token["id"])
    with pytest.raises(NotAuthenticated) as refused:
        Celesta(service.url, token["secret"]).me()
    assert refused.value.code == "invalid_token"


def test_a_refused_document_has_every_problem(client: Celesta) -> None:
    with pytest.raises(Invalid) as refused:
        client.workflows.publish("orders.fulfil", DOCUMENT.replace("[rest]", "[rst]"))

    assert refused.value.code == "invalid_document"
    assert [error["path"] for error in refused.value.errors][:1] == ["nodes.ship.needs[0]"]


class Moody(BaseHTTPRequestHandler):
    """Answers with what is next in ``moods``; then with 200."""

    moods: ClassVar[list[tuple[int, dict[str, str]]]] = []
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        self.seen.append(self.headers.get("Idempotency-Key", ""))
        status, headers = self.moods.pop(0) if self.moods else (200, {})
        if status == 0:
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "11")
        self.end_headers()
        self.wfile.write(b'{"id": "x"}')

    do_POST = do_GET  # noqa: N815

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def moody() -> Iterator[Callable[..., tuple[Celesta, list[float]]]]:
    """A client of a server with moods, and how long it slept between its attempts."""
    server = HTTPServer(("127.0.0.1", 0), Moody)
    Thread(target=server.serve_forever, daemon=True).start()
    Moody.seen.clear()

    def make(*moods: Any) -> tuple[Celesta, list[float]]:
        Moody.moods[:] = [mood if isinstance(mood, tuple) else (mood, {}) for mood in moods]
        slept: list[float] = []
        url = f"http://127.0.0.1:{server.server_port}"
        return Celesta(url, "celesta_x", sleep=slept.append), slept

    yield make
    server.shutdown()
    server.server_close()


def test_what_may_be_repeated_is_with_longer_and_longer_pauses(moody: Any) -> None:
    client, slept = moody(502, 0, 500)

    assert client.me() == {"id": "x"}
    assert len(slept) == 3
    assert all(0.1 * 2**n <= pause <= 0.2 * 2**n for n, pause in enumerate(slept))


def test_a_start_is_repeated_under_one_key(moody: Any) -> None:
    client, _ = moody(0, 504)

    assert client.runs.start("w")["id"] == "x"
    assert len(Moody.seen) == 3
    assert len(set(Moody.seen)) == 1
    assert Moody.seen[0]


def test_what_may_not_be_repeated_is_not(moody: Any) -> None:
    client, slept = moody(500)

    with pytest.raises(ServerFault):
        client.runs.cancel("r")
    assert not slept
    client, slept = moody(0)
    with pytest.raises(Unreachable):
        client.runs.cancel("r")
    assert not slept


def test_it_waits_as_long_as_it_is_told(moody: Any) -> None:
    client, slept = moody((429, {"Retry-After": "7"}), (503, {"Retry-After": "5"}))

    client.runs.cancel("r")  # nothing had been done, so it may be repeated
    assert slept == [7.0, 5.0]
    client, slept = moody(*[(429, {"Retry-After": "1"})] * 9)
    with pytest.raises(TooManyRequests):
        client.me()
    assert slept == [1.0] * 4


def test_nobody_there() -> None:
    slept: list[float] = []
    with pytest.raises(Unreachable, match="127.0.0.1"):
        Celesta("http://127.0.0.1:9", "t", sleep=slept.append).me()
    assert len(slept) == 4


def test_the_token_goes_to_its_own_server_only(moody: Any) -> None:
    client, _ = moody()

    with pytest.raises(Unreachable, match="not an address"):
        client.transport.call("GET", "http://elsewhere.example/api/v1/runs/")


def test_a_download_that_breaks_leaves_nothing(client: Celesta, tmp_path: Path) -> None:
    run = client.runs.start("orders.fulfil", {"order_id": 1})
    with pytest.raises(NotFound):
        client.runs.download(run["id"], 999_999, tmp_path / "a.txt")

    assert list(tmp_path.iterdir()) == []
