"""What operators do to runs over the API: pause, resume, skip, rerun."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from celesta.runs.models import Event, NodeRun, Output, Run
from tests.integration.api.conftest import DOCUMENT, Api, problem_of
from tests.integration.api.test_runs import finish

START = "workflows/orders.fulfil/runs/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(api: Api, published: Any) -> dict[str, Any]:
    """A run that was started and that no worker has seen."""
    body: dict[str, Any] = api.post(START, {"params": {"order_id": 7}}).json()
    return body


def fail(run_id: str) -> None:
    """What the engine would have written when the second node has failed."""
    now = datetime.now(UTC)
    for node, state in ((0, "succeeded"), (1, "failed"), (2, "upstream_failed")):
        NodeRun.objects.filter(run_id=run_id, node=node).update(state=state, finished_at=now)
    Output.objects.create(run_id=run_id, scope=0, node=0, value=7)
    finish(run_id, "failed")


def test_a_run_is_paused_and_goes_on(api: Api, run: dict[str, Any]) -> None:
    paused = api.post(f"runs/{run['id']}/pause/", {"reason": "look first"})
    again = api.post(f"runs/{run['id']}/pause/")
    resumed = api.post(f"runs/{run['id']}/resume/")

    assert paused.status_code == again.status_code == resumed.status_code == 200
    assert paused.json()["state"] == again.json()["state"] == "paused"
    assert paused.json()["paused_at"] == again.json()["paused_at"] is not None
    assert (resumed.json()["state"], resumed.json()["paused_at"]) == ("pending", None)
    (event,) = Event.objects.filter(run_id=run["id"], kind="run_paused")
    assert event.data == {"by": "admin-of-default (test)", "reason": "look first"}


def test_a_finished_run_is_neither_paused_nor_resumed(api: Api, run: dict[str, Any]) -> None:
    finish(run["id"])
    for verb in ("pause", "resume"):
        problem = problem_of(api.post(f"runs/{run['id']}/{verb}/"), 409, "run_already_finished")
        assert f"cannot be {verb}d" in problem["detail"]
        problem_of(api.post(f"runs/{uuid4()}/{verb}/"), 404, "run_not_found")


def test_a_run_that_is_being_cancelled_is_not_paused(api: Api, run: dict[str, Any]) -> None:
    Run.objects.filter(pk=run["id"]).update(state="cancelling")
    problem_of(api.post(f"runs/{run['id']}/pause/"), 409, "run_cancelling")


def test_a_misspelt_reason_is_refused(api: Api, run: dict[str, Any]) -> None:
    problem = problem_of(
        api.post(f"runs/{run['id']}/pause/", {"reasons": "x"}), 400, "invalid_input"
    )
    assert problem["errors"][0]["path"] == "reasons"


def test_a_node_is_skipped(api: Api, run: dict[str, Any]) -> None:
    nodes = f"runs/{run['id']}/nodes"

    skipped = api.post(f"{nodes}/fetch/skip/", {"reason": "not today"})

    assert skipped.status_code == 200
    assert (skipped.json()["name"], skipped.json()["state"]) == ("fetch", "skipped")
    assert api.get(f"{nodes}/ship/").json()["state"] == "skipped"
    assert api.get(f"{nodes}/end/").json()["state"] == "ready"  # it makes the run's output


def test_what_cannot_be_skipped_says_why(api: Api, run: dict[str, Any]) -> None:
    nodes = f"runs/{run['id']}/nodes"
    problem = problem_of(api.post(f"{nodes}/ship/skip/"), 409, "node_not_skippable")
    assert problem["detail"].startswith("Node ship still waits for other nodes")
    problem_of(api.post(f"{nodes}/nowhere/skip/"), 404, "not_found")
    problem_of(api.post(f"{nodes}/fetch/skip/?scope=4"), 404, "not_found")


def test_a_rerun_is_a_new_run_that_keeps_what_succeeded(api: Api, run: dict[str, Any]) -> None:
    # Given a run whose second node failed
    fail(run["id"])
    # When it is run again
    made = api.post(f"runs/{run['id']}/rerun/", **{"Idempotency-Key": "again"})
    same = api.post(f"runs/{run['id']}/rerun/", **{"Idempotency-Key": "again"})
    # Then there is a new run with the first node as it was,
    assert (made.status_code, same.status_code) == (201, 200)
    body = made.json()
    assert (body["rerun_of"], body["params"]) == (run["id"], run["params"])
    assert made.headers["Location"].endswith(f"/runs/{body['id']}/")
    assert same.json()["id"] == body["id"]
    assert same.headers["Idempotency-Replayed"] == "true"
    nodes = {n["name"]: n["state"] for n in api.get(f"runs/{body['id']}/nodes/").json()["results"]}
    assert nodes == {"fetch": "succeeded", "ship": "ready", "end": "pending"}
    assert api.get(f"runs/{body['id']}/nodes/fetch/").json()["output"] == 7
    # the history names what was kept,
    (kept,) = Event.objects.filter(run_id=body["id"], kind="kept")
    assert kept.data == {"nodes": [0], "states": ["succeeded"], "of": run["id"]}
    # and something else under the same key is refused.
    other = api.post(f"runs/{run['id']}/rerun/", {"mode": "all"}, **{"Idempotency-Key": "again"})
    problem_of(other, 409, "idempotency_conflict")


def test_a_rerun_with_other_params_on_another_version(api: Api, run: dict[str, Any]) -> None:
    fail(run["id"])
    repaired = DOCUMENT.replace("    needs: [fetch]\n", "    needs: [fetch]\n    title: Ship\n")
    assert api.put("workflows/orders.fulfil/", repaired).json()["version"]["number"] == 2
    body = {"version": 2, "params": {"order_id": 8}, "mode": "nodes", "nodes": ["ship"]}
    made = api.post(f"runs/{run['id']}/rerun/", body).json()
    assert (made["version"], made["params"]["order_id"]) == (2, 8)
    problem_of(api.post(f"runs/{run['id']}/rerun/", {"version": 9}), 404, "not_found")
    wrong = api.post(f"runs/{run['id']}/rerun/", {"params": {"order_id": "x"}})
    problem_of(wrong, 400, "invalid_params")


def test_what_a_rerun_would_run_is_told_before(api: Api, run: dict[str, Any]) -> None:
    fail(run["id"])
    preview = f"runs/{run['id']}/rerun/preview/"
    assert api.post(preview).json() == {"again": ["ship"], "kept": ["fetch"]}
    assert api.post(preview, {"mode": "all"}).json() == {"again": ["fetch", "ship"], "kept": []}
    # Another version that defines the first node otherwise runs all of it.
    other = DOCUMENT.replace("{{ params.order_id }}", "{{ params.order_id + 1 }}", 1)
    assert api.put("workflows/orders.fulfil/", other).json()["version"]["number"] == 2
    assert api.post(preview, {"version": 2}).json()["kept"] == []
    problem_of(api.post(preview, {"version": 9}), 404, "not_found")
    problem_of(api.post(preview, {"mode": "nodes", "nodes": ["sh1p"]}), 400, "invalid_rerun")
    assert Run.objects.count() == 1


def test_what_cannot_be_run_again_says_where_and_why(api: Api, run: dict[str, Any]) -> None:
    rerun = f"runs/{run['id']}/rerun/"
    problem_of(api.post(rerun), 409, "run_not_finished")
    fail(run["id"])
    for body, path in (
        ({"mode": "some"}, "mode"),
        ({"nodes": ["ship"]}, "nodes"),
        ({"mode": "nodes"}, "nodes"),
        ({"mode": "nodes", "nodes": ["sh1p"]}, "nodes[0]"),
        ({"outputs": {"sh1p": 1}}, "outputs.sh1p"),
    ):
        answer = api.post(rerun, body)
        assert answer.status_code == 400
        assert [error["path"] for error in answer.json()["errors"]] == [path]


def test_a_start_in_the_middle(api: Api, published: Any) -> None:
    params = {"params": {"order_id": 7}, "start_at": ["ship"]}
    missing = problem_of(api.post(START, params), 400, "invalid_rerun")
    assert [(e["path"], e["code"]) for e in missing["errors"]] == [
        ("outputs.fetch", "output_missing")
    ]
    made = api.post(START, {**params, "outputs": {"fetch": 9}})
    assert made.status_code == 201
    nodes = api.get(f"runs/{made.json()['id']}/nodes/").json()["results"]
    assert [n["state"] for n in nodes] == ["succeeded", "ready", "pending"]
    assert api.get(f"runs/{made.json()['id']}/nodes/fetch/").json()["output"] == 9
    alone = api.post(START, {"params": {"order_id": 7}, "outputs": {"fetch": 9}})
    assert problem_of(alone, 400, "invalid_input")["errors"][0]["path"] == "outputs"
