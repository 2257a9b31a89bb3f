"""Runs over the API: start, look, wait, cancel."""

import asyncio
import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections
from django.test import AsyncClient
from pytest_django.fixtures import Settings

from celesta.access.models import Role
from celesta.artifacts import store
from celesta.artifacts.models import Artifact
from celesta.runs import transitions, upkeep
from celesta.runs.models import Event, NodeRun, Output, Run, Slot
from tests.integration.api.conftest import DOCUMENT, Api, problem_of

START = "workflows/orders.fulfil/runs/"
SEVEN = {"params": {"order_id": 7}}


@pytest.fixture
def run(api: Api, published: Any) -> dict[str, Any]:
    """A run that was started and that no worker has seen."""
    body: dict[str, Any] = api.post(START, SEVEN).json()
    return body


def finish(run_id: str, state: str = "succeeded") -> None:
    """What the engine writes when a run ends, as far as a door can see it."""
    Run.objects.filter(pk=run_id).update(state=state, finished_at=datetime.now(UTC), output=7)


def test_a_start_answers_201_with_the_run_and_its_address(api: Api, published: Any) -> None:
    made = api.post(START, SEVEN)

    assert made.status_code == 201
    body = made.json()
    assert body["state"] == "pending"
    assert body["workflow"] == "orders.fulfil"
    assert body["version"] == 1
    assert body["params"] == {"order_id": 7, "express": False}  # the schema's default is filled in
    assert body["created_by"] == "admin-of-default (test)"
    assert made.headers["Location"].endswith(f"/api/v1/runs/{body['id']}/")
    assert api.get(f"runs/{body['id']}/").json() == body


def test_params_that_do_not_fit_are_refused_with_their_paths(api: Api, published: Any) -> None:
    wrong = api.post(START, {"params": {"order_id": "seven", "express": 3}})
    missing = api.post(START)

    paths = [error["path"] for error in problem_of(wrong, 400, "invalid_params")["errors"]]
    assert paths == ["params.express", "params.order_id"]
    problem = problem_of(missing, 400, "invalid_params")
    assert problem["errors"][0]["path"] == "params.order_id"
    assert not Run.objects.exists()


def test_an_unknown_field_beside_params_is_refused(api: Api, published: Any) -> None:
    problem = problem_of(api.post(START, {"parms": {}, **SEVEN}), 400, "invalid_input")

    assert problem["errors"][0]["path"] == "parms"
    assert problem["errors"][0]["code"] == "unknown_field"


def test_an_older_version_can_be_started(api: Api, published: Any) -> None:
    api.post("workflows/orders.fulfil/versions/", DOCUMENT.replace("Fulfil an", "Send an"))

    assert api.post(START, SEVEN).json()["version"] == 2
    assert api.post(START, {**SEVEN, "version": 1}).json()["version"] == 1
    problem_of(api.post(START, {**SEVEN, "version": 9}), 404, "not_found")


def test_the_same_idempotency_key_starts_one_run(api: Api, published: Any) -> None:
    first = api.post(START, SEVEN, Idempotency_Key="order-7")
    again = api.post(START, SEVEN, Idempotency_Key="order-7")

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert Run.objects.count() == 1


def test_a_key_for_something_else_is_a_conflict(api: Api, published: Any) -> None:
    api.post(START, SEVEN, Idempotency_Key="order-7")

    other = api.post(START, {"params": {"order_id": 8}}, Idempotency_Key="order-7")

    problem_of(other, 409, "idempotency_conflict")
    assert Run.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\tbed"])
def test_a_key_that_cannot_be_kept_is_refused(api: Api, published: Any, key: str) -> None:
    problem_of(api.post(START, SEVEN, Idempotency_Key=key), 400, "invalid_idempotency_key")


@pytest.mark.django_db(transaction=True)
def test_fifty_starts_at_once_under_one_key_make_one_run(api: Api, published: Any) -> None:
    ids: list[str] = []

    def start() -> None:
        own = Api(api.token)
        ids.extend(own.post(START, SEVEN, Idempotency_Key="once").json()["id"] for _ in range(10))
        connection.close()

    threads = [threading.Thread(target=start) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(ids) == 50
    assert len(set(ids)) == 1
    assert Run.objects.filter(workflow__name="orders.fulfil").count() == 1


def test_runs_are_listed_newest_first_page_by_page(api: Api, published: Any) -> None:
    started = [api.post(START, SEVEN).json()["id"] for _ in range(5)]

    seen: list[str] = []
    address: str | None = "/api/v1/runs/?limit=2"
    while address:
        body = api.get(address).json()
        assert len(body["results"]) <= 2
        seen += [row["id"] for row in body["results"]]
        address = body["next"]

    assert seen == started[::-1]


def test_runs_are_filtered(api: Api, published: Any) -> None:
    api.post("workflows/", DOCUMENT.replace("orders.fulfil", "audit"))
    audit = api.post("workflows/audit/runs/", SEVEN).json()["id"]
    order = api.post(START, SEVEN).json()["id"]
    finish(order)
    now = datetime.now(UTC)
    before, after = (now - timedelta(hours=1)).isoformat(), (now + timedelta(hours=1)).isoformat()

    def ids(query: str) -> set[str]:
        path = f"runs/?{query}".replace("+", "%2B")
        return {row["id"] for row in api.get(path).json()["results"]}

    assert ids("state=succeeded") == {order}
    assert ids("state=succeeded,pending") == {order, audit}
    assert ids("workflow=audit") == {audit}
    assert ids(f"id={order[:14]}") <= {order, audit}
    assert ids(f"id={order}") == {order}
    assert ids(f"created_after={before}&created_before={after}") == {order, audit}
    assert ids(f"created_after={after}") == set()
    assert {row["id"] for row in api.get(START).json()["results"]} == {order}


def test_moments_at_the_ends_of_time_are_as_good_as_any(api: Api, published: Any) -> None:
    run = api.post(START, {"params": {"order_id": 1}}).json()["id"]

    for query in (
        "created_after=0001-01-01T00:00:00%2B23:59", "created_before=9999-12-31T23:59:59-23:59"
    ):  # fmt: skip
        assert [row["id"] for row in api.get(f"runs/?{query}").json()["results"]] == [run]


@pytest.mark.parametrize(
    "query",
    [
        "state=done", "id=xyz", "id=%00", "limit=0", "limit=9999", "limit=-1", "limit=ten",
        "created_after=soon", "created_after=2026-13-45", "created_after=", "id=",
    ],
)  # fmt: skip
def test_filters_that_mean_nothing_are_refused(api: Api, published: Any, query: str) -> None:
    problem_of(api.get(f"runs/?{query}"), 400, "invalid_query")


@pytest.mark.parametrize("cursor", ["x", "e30", "WzEsMl0", "WyJ4IiwieSJd", "WyJcdTAwMDAiLDFd", "é"])
def test_made_up_cursors_are_refused(api: Api, published: Any, cursor: str) -> None:
    problem_of(api.get(f"runs/?cursor={cursor}"), 400, "invalid_cursor")


def test_nodes_are_shown_by_name_in_the_order_of_the_plan(api: Api, run: dict[str, Any]) -> None:
    rows = api.get(f"runs/{run['id']}/nodes/").json()["results"]

    assert [row["name"] for row in rows][:2] == ["fetch", "ship"]
    assert rows[0]["state"] == "ready"
    assert rows[1]["state"] == "pending"
    assert rows[0]["type"] == "transform"
    ready = api.get(f"runs/{run['id']}/nodes/?state=ready").json()["results"]
    assert [row["name"] for row in ready] == ["fetch"]
    problem_of(api.get(f"runs/{run['id']}/nodes/?state=done"), 400, "invalid_query")


def test_a_node_says_where_it_ran_also_when_that_worker_is_gone(
    api: Api, run: dict[str, Any]
) -> None:
    slot = transitions.register_slot("worker1@host", 4242, ("default",), 8.0)
    NodeRun.objects.filter(run_id=run["id"], node=0).update(slot=slot)
    before = api.get(f"runs/{run['id']}/nodes/fetch/").json()
    upkeep.retire_slots([slot])
    rows = api.get(f"runs/{run['id']}/nodes/").json()["results"]
    assert before["worker"] == "worker1@host · 4242"
    assert [row["worker"] for row in rows[:2]] == ["worker1@host · 4242", None]
    assert not Slot.objects.filter(pk=slot).exists()


def test_a_node_has_its_output_and_its_error(api: Api, run: dict[str, Any]) -> None:
    NodeRun.objects.filter(run_id=run["id"], node=0).update(
        state="failed", attempt=2, finished_at=datetime.now(UTC), started_at=datetime.now(UTC)
    )
    Output.objects.create(
        run_id=run["id"], scope=0, node=0, value={"a": [1]}, error={"message": "no"}
    )

    node = api.get(f"runs/{run['id']}/nodes/fetch/").json()

    assert node["output"] == {"a": [1]}
    assert node["error"] == {"message": "no"}
    assert node["attempt"] == 2
    listed = api.get(f"runs/{run['id']}/nodes/").json()["results"][0]
    assert listed["error"] == {"message": "no"}
    assert "output" not in listed
    problem_of(api.get(f"runs/{run['id']}/nodes/nobody/"), 404, "not_found")
    problem_of(api.get(f"runs/{run['id']}/nodes/fetch/?scope=3"), 404, "not_found")
    problem_of(api.get(f"runs/{run['id']}/nodes/fetch/?scope=x"), 400, "invalid_query")


def test_events_are_read_in_pages_and_followed_from_the_last_one(
    api: Api, run: dict[str, Any]
) -> None:
    # Given events of long ago (young ones are held back while an earlier id may be to come)
    old = datetime.now(UTC) - timedelta(minutes=1)
    Event.objects.filter(run_id=run["id"]).delete()
    for kind in ("ready", "running", "succeeded"):
        Event.objects.create(run_id=run["id"], at=old, kind=kind, scope=0, node=0, attempt=1)

    first = api.get(f"runs/{run['id']}/events/?limit=2").json()
    second = api.get(first["next"]).json()

    assert [e["kind"] for e in first["results"]] == ["ready", "running"]
    assert [e["kind"] for e in second["results"]] == ["succeeded"]
    assert second["results"][0]["node"] == "fetch"
    assert second["next"] is None
    last = second["results"][0]["id"]
    assert api.get(f"runs/{run['id']}/events/?after={last}").json()["results"] == []


def test_an_artifact_is_listed_and_downloaded_as_it_was_saved(
    api: Api, run: dict[str, Any], settings: Settings, tmp_path: Any
) -> None:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path)}
    content = b"<script>alert(1)</script>" * 100
    workspace_id = Run.objects.get(pk=run["id"]).workspace_id
    store.save(run["id"], 0, 0, "fetch", 1, workspace_id, "page.html", content)

    row = api.get(f"runs/{run['id']}/artifacts/").json()["results"][0]
    download = api.get(row["content"])

    assert row["name"] == "page.html"
    assert row["size"] == len(content)
    assert row["sha256"] == hashlib.sha256(content).hexdigest()
    assert b"".join(download.streaming_content) == content
    # it is somebody's page: a browser must not run it under our name
    assert download.headers["Content-Disposition"] == 'attachment; filename="page.html"'
    assert download.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in download.headers["Content-Security-Policy"]
    problem_of(api.get(f"runs/{run['id']}/artifacts/999999/content/"), 404, "not_found")


def test_a_run_lists_each_file_of_its_newest_attempt(
    api: Api, run: dict[str, Any], settings: Settings, tmp_path: Any
) -> None:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path)}
    workspace_id = Run.objects.get(pk=run["id"]).workspace_id
    for node, attempt, name in (
        ("fetch", 1, "a"),
        ("fetch", 2, "a"),
        ("ship", 1, "a"),
        ("ship", 1, "b"),
    ):
        index = ["fetch", "ship"].index(node)
        store.save(run["id"], 0, index, node, attempt, workspace_id, f"{name}.txt", b"x")

    def listed(query: str = "") -> list[tuple[str, str, int]]:
        rows = api.get(f"runs/{run['id']}/artifacts/?{query}").json()["results"]
        return [(row["node"], row["name"], row["attempt"]) for row in rows]

    assert listed() == [("fetch", "a.txt", 2), ("ship", "a.txt", 1), ("ship", "b.txt", 1)]
    assert listed("name=b.txt") == [("ship", "b.txt", 1)]
    assert listed("node=fetch") == [("fetch", "a.txt", 2)]
    first = api.get(f"runs/{run['id']}/artifacts/?limit=1").json()
    assert [row["node"] for row in api.get(first["next"]).json()["results"]] == ["ship"]


def test_an_artifact_is_deleted_for_good_and_the_history_says_by_whom(
    api: Api, run: dict[str, Any], settings: Settings, tmp_path: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path)}
    workspace_id = Run.objects.get(pk=run["id"]).workspace_id
    saved = store.save(run["id"], 0, 0, "fetch", 1, workspace_id, "page.html", b"x")
    address = f"runs/{run['id']}/artifacts/{saved['artifact']}/"
    assert api.get(address).json()["sha256"] == saved["sha256"]

    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(address).status_code == 204

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert api.get(f"runs/{run['id']}/artifacts/").json()["results"] == []
    for gone in (api.get(address), api.get(f"{address}content/"), api.delete(address)):
        problem_of(gone, 404, "not_found")
    event = Event.objects.get(run_id=run["id"], kind="artifact_deleted")
    assert event.data == {**saved, "by": "admin-of-default (test)"}


@pytest.mark.parametrize("name", ["../etc/passwd", "..", "a/b", "..\\secret", "%2e%2e/x", "a%0ab"])
def test_a_path_in_place_of_an_artifacts_name_is_refused(
    api: Api, run: dict[str, Any], name: str
) -> None:
    problem_of(api.get(f"runs/{run['id']}/artifacts/?name={name}"), 400, "artifact_name_invalid")


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc/passwd", "..%5csecret"]
)
def test_an_address_that_leads_out_of_the_api_is_refused(
    api: Api, run: dict[str, Any], path: str
) -> None:
    response = api.get(f"runs/{run['id']}/artifacts/{path}/content/")
    problem_of(response, 400, "invalid_path")


def test_a_record_that_leads_out_of_the_storage_is_refused(
    api: Api, run: dict[str, Any], settings: Settings, tmp_path: Any
) -> None:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path / "artifacts")}
    (tmp_path / "secret.txt").write_text("not for you")
    workspace_id = Run.objects.get(pk=run["id"]).workspace_id
    saved = store.save(run["id"], 0, 0, "fetch", 1, workspace_id, "page.html", b"x")
    Artifact.objects.update(path="../secret.txt")
    response = api.get(f"runs/{run['id']}/artifacts/{saved['artifact']}/content/")
    problem_of(response, 400, "malformed_request")


def test_an_artifact_that_the_caller_has_is_not_sent_again(
    api: Api, run: dict[str, Any], settings: Settings, tmp_path: Any
) -> None:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path / "artifacts")}
    workspace_id = Run.objects.get(pk=run["id"]).workspace_id
    saved = store.save(run["id"], 0, 0, "fetch", 1, workspace_id, "page.html", b"x")
    address = f"runs/{run['id']}/artifacts/{saved['artifact']}/content/"
    tag = api.get(address).headers["ETag"]

    again = api.get(address, If_None_Match=tag)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert b"".join(api.get(address, If_None_Match='"other"').streaming_content) == b"x"


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("error:StreamingHttpResponse")  # it read the whole file first
def test_an_artifact_is_streamed_by_an_asgi_server_too(
    api: Api, run: dict[str, Any], settings: Settings, tmp_path: Any
) -> None:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path)}
    content = bytes(range(256)) * 4096
    workspace_id = Run.objects.get(pk=run["id"]).workspace_id
    store.save(run["id"], 0, 0, "fetch", 1, workspace_id, "data.bin", content)
    path = api.get(f"runs/{run['id']}/artifacts/").json()["results"][0]["content"]

    async def fetch() -> list[bytes]:
        headers = {"Authorization": f"Bearer {api.token}"}
        response: Any = await AsyncClient().get(
            path.removeprefix("http://testserver"), headers=headers
        )
        assert response.headers["Content-Length"] == str(len(content))
        pieces = [piece async for piece in response.streaming_content]
        await sync_to_async(connections.close_all)()
        return pieces

    pieces = asyncio.run(fetch())
    assert b"".join(pieces) == content
    assert len(pieces) > 1


@pytest.mark.django_db(transaction=True)
def test_a_run_is_cancelled_once_and_for_all(api: Api, run: dict[str, Any]) -> None:
    first = api.post(f"runs/{run['id']}/cancel/", {"reason": "not wanted"})
    again = api.post(f"runs/{run['id']}/cancel/")

    assert first.status_code == again.status_code == 200
    assert first.json()["state"] == again.json()["state"] == "cancelled"
    assert first.json()["error"]["message"] == "not wanted"


@pytest.mark.django_db(transaction=True)
def test_a_finished_run_is_not_cancelled(api: Api, run: dict[str, Any]) -> None:
    finish(run["id"])

    problem_of(api.post(f"runs/{run['id']}/cancel/"), 409, "run_already_finished")
    assert api.get(f"runs/{run['id']}/").json()["state"] == "succeeded"


def test_unknown_runs_are_404(api: Api, run: dict[str, Any]) -> None:
    for part in ("", "nodes/", "nodes/fetch/", "events/", "artifacts/", "graph/", "await/"):
        problem_of(api.get(f"runs/{uuid4()}/{part}"), 404, "run_not_found")
    problem_of(api.post(f"runs/{uuid4()}/cancel/"), 404, "run_not_found")
    problem_of(api.get("runs/not-an-id/"), 404, "not_found")


def test_waiting_for_what_is_reached_answers_at_once(api: Api, run: dict[str, Any]) -> None:
    now = api.get(f"runs/{run['id']}/await/?state=pending&timeout=60").json()
    assert (now["reached"], now["state"]) == (True, "pending")

    finish(run["id"])
    final = api.get(f"runs/{run['id']}/await/?timeout=60").json()
    assert (final["reached"], final["output"]) == (True, 7)
    never = api.get(f"runs/{run['id']}/await/?state=failed&timeout=60").json()
    assert (never["reached"], never["state"]) == (False, "succeeded")


def test_waiting_ends_when_the_time_is_up(api: Api, run: dict[str, Any]) -> None:
    body = api.get(f"runs/{run['id']}/await/?timeout=0.2").json()

    assert (body["reached"], body["state"]) == (False, "pending")


def test_a_project_with_atomic_requests_can_wait_and_start(
    api: Api, run: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    assert api.get(f"runs/{run['id']}/await/?state=pending").json()["reached"] is True
    assert api.post(START, SEVEN).status_code == 201
    problem_of(api.post(START), 400, "invalid_params")


@pytest.mark.parametrize(
    "query", ["timeout=61", "timeout=-1", "timeout=nan", "timeout=x", "state=x"]
)
def test_waiting_for_nonsense_is_refused(api: Api, run: dict[str, Any], query: str) -> None:
    problem_of(api.get(f"runs/{run['id']}/await/?{query}"), 400, "invalid_query")


@pytest.mark.django_db(transaction=True)
def test_many_wait_at_once_and_hear_of_the_end(api: Api, run: dict[str, Any]) -> None:
    # Given twenty callers in one event loop, more than it has threads to hold
    path = f"/api/v1/runs/{run['id']}/await/?state=succeeded&timeout=30"
    headers = {"Authorization": f"Bearer {api.token}"}

    async def wait() -> list[Any]:
        client = AsyncClient()
        calls = [asyncio.create_task(client.get(path, headers=headers)) for _ in range(20)]
        await asyncio.sleep(0.3)  # that nobody is told too early can only be waited for
        assert [call.result().content for call in calls if call.done()] == []
        await asyncio.to_thread(_finish_elsewhere, run["id"])
        return await asyncio.gather(*calls)

    # When the run ends, Then all of them are told
    answers = asyncio.run(wait())
    assert [answer.json()["reached"] for answer in answers] == [True] * 20


def _finish_elsewhere(run_id: str) -> None:
    finish(run_id)
    connection.close()


def test_a_viewer_may_look_and_wait_but_not_start(
    caller: Callable[..., Api], run: dict[str, Any]
) -> None:
    viewer = caller(Role.VIEWER)

    assert viewer.get(f"runs/{run['id']}/await/?state=pending").json()["reached"] is True
    problem_of(viewer.post(START, SEVEN), 403, "role_too_low")
