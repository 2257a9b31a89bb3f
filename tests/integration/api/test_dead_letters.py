"""Dead letters and verbs for many rows over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from celesta.access.models import Role
from celesta.runs.models import DeadLetter, Run
from tests.integration.api.conftest import Api, problem_of
from tests.integration.api.test_run_verbs import fail

START = "workflows/orders.fulfil/runs/"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def letters(api: Api, published: Any) -> list[DeadLetter]:
    """Three dead letters of a run each, two of which are alike."""
    return [make(api, text) for text in ("order 1 is locked", "order 2 is locked", "no such shop")]


def make(api: Api, text: str) -> DeadLetter:
    run = api.post(START, {"params": {"order_id": 7}}).json()["id"]
    fail(run)
    row = Run.objects.get(pk=run)
    return DeadLetter.objects.create(
        run=row, workspace=row.workspace, workflow=row.workflow, node=1, name="ship", attempt=1,
        code="locked" if "locked" in text else "gone", message=text,
        fingerprint="a" * 16 if "locked" in text else "b" * 16, at=datetime.now(UTC),
    )  # fmt: skip


def listed(api: Api, query: str = "") -> list[int]:
    return [row["id"] for row in api.get(f"dead-letters/?{query}").json()["results"]]


def test_they_are_listed_newest_first_and_by_what_is_asked(
    api: Api, letters: list[DeadLetter]
) -> None:
    first, second, third = (letter.pk for letter in letters)
    assert listed(api) == [third, second, first]
    assert listed(api, f"fingerprint={'a' * 16}") == [second, first]
    assert listed(api, "code=gone&workflow=orders.fulfil&state=open") == [third]
    assert listed(api, "workflow=other") == listed(api, "state=retried") == []
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert listed(api, f"since={later}") == []
    problem_of(api.get("dead-letters/?state=lost"), 400, "invalid_query")
    row = api.get("dead-letters/?limit=1").json()["results"][0]
    assert (row["node"], row["code"], row["run"]) == ("ship", "gone", str(letters[2].run_id))


def test_one_is_retried_once(api: Api, letters: list[DeadLetter]) -> None:
    made = api.post(f"dead-letters/{letters[0].pk}/retry/")
    assert made.status_code == 201
    assert made.json()["rerun_of"] == str(letters[0].run_id)
    assert made.json()["trigger_ref"] == f"dead-letter:{letters[0].pk}"
    nodes = api.get(f"runs/{made.json()['id']}/nodes/").json()["results"]
    assert [n["state"] for n in nodes] == ["succeeded", "ready", "pending"]
    again = problem_of(api.post(f"dead-letters/{letters[0].pk}/retry/"), 409, "dead_letter_decided")
    assert made.json()["id"] in again["detail"]
    (row,) = api.get("dead-letters/?state=retried").json()["results"]
    assert row["retried_as"] == made.json()["id"]
    problem_of(api.post("dead-letters/999999/retry/"), 404, "not_found")
    problem_of(api.post(f"dead-letters/{2**70}/retry/"), 404, "not_found")


def test_one_is_discarded_with_a_reason(api: Api, letters: list[DeadLetter]) -> None:
    gone = api.post(f"dead-letters/{letters[0].pk}/discard/", {"reason": "known"}).json()
    assert (gone["state"], gone["reason"]) == ("discarded", "known")
    assert gone["decided_by"] == "admin-of-default (test)"
    problem_of(api.post(f"dead-letters/{letters[0].pk}/discard/"), 409, "dead_letter_decided")


def test_many_are_counted_then_decided_on(api: Api, letters: list[DeadLetter]) -> None:
    alike = {"verb": "retry", "filter": {"fingerprint": "a" * 16}}
    counted = api.post("dead-letters/bulk/", {**alike, "dry_run": True}).json()
    assert (counted["count"], counted["done"], counted["results"]) == (2, 0, [])
    assert listed(api, "state=retried") == []
    # A piece at a time: the cursor leads to the next one.
    first = api.post("dead-letters/bulk/", {**alike, "limit": 1}).json()
    assert (first["done"], first["cursor"]) == (1, str(letters[1].pk))
    rest = {**alike, "limit": 1, "cursor": int(first["cursor"])}
    second = api.post("dead-letters/bulk/", rest).json()
    assert (second["done"], second["cursor"]) == (1, None)
    assert listed(api, "state=retried") == [letters[1].pk, letters[0].pk]
    assert {first["results"][0]["run"], second["results"][0]["run"]} == {
        str(run) for run in Run.objects.exclude(rerun_of=None).values_list("pk", flat=True)
    }
    body = {"verb": "discard", "filter": {"code": "gone"}, "reason": "closed"}
    assert api.post("dead-letters/bulk/", body).json()["done"] == 1
    assert DeadLetter.objects.get(pk=letters[2].pk).reason == "closed"


def test_a_verb_for_many_runs_tells_each_outcome(api: Api, published: Any) -> None:
    # Given three runs, one of which has ended
    runs = [api.post(START, {"params": {"order_id": i}}).json()["id"] for i in range(3)]
    fail(runs[1])
    chosen = {"filter": {"workflow": "orders.fulfil"}}
    # When all of them are paused
    done = api.post("runs/bulk/", {"verb": "pause", **chosen}).json()
    # Then two are, and the third says why it is not
    assert (done["count"], done["done"], done["refused"], done["cursor"]) == (3, 2, 1, None)
    assert [row["code"] for row in done["results"]] == [None, "run_already_finished", None]
    assert [api.get(f"runs/{run}/").json()["state"] for run in runs] == [
        "paused", "failed", "paused",
    ]  # fmt: skip
    # and so on with the other verbs,
    paused = {"filter": {"state": ["paused"]}}
    assert api.post("runs/bulk/", {"verb": "resume", **paused}).json()["done"] == 2
    again = api.post("runs/bulk/", {"verb": "rerun", "filter": {"ids": [runs[1]]}}).json()
    assert again["results"][0]["run"] == str(Run.objects.get(rerun_of=runs[1]).pk)
    later = {"filter": {"state": ["pending"]}}
    piece = api.post("runs/bulk/", {"verb": "cancel", **later, "limit": 2}).json()
    assert (piece["done"], piece["cursor"] is None) == (2, False)
    piece = api.post("runs/bulk/", {"verb": "cancel", **later, "cursor": piece["cursor"]}).json()
    assert (piece["count"], piece["done"], piece["cursor"]) == (1, 1, None)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"verb": "pause", "filter": {}}, "filter"),
        ({"verb": "pause"}, "filter"),
        ({"verb": "explode", "filter": {"workflow": "x"}}, "verb"),
        ({"verb": "pause", "filter": {"state": ["lost"]}}, "filter.state[0]"),
        ({"verb": "pause", "filter": {"workflows": "x"}}, "filter.workflows"),
        ({"verb": "pause", "filter": {"workflow": "x"}, "limit": 1000}, "limit"),
        ({"verb": "pause", "filter": {"workflow": "x"}, "cursor": "x"}, "cursor"),
    ],
)
def test_what_is_wrong_with_a_bulk_verb_is_told_at_its_place(
    api: Api, body: dict[str, Any], path: str
) -> None:
    problem = problem_of(api.post("runs/bulk/", body), 400, "invalid_input")
    assert [error["path"] for error in problem["errors"]] == [path]


def test_a_bulk_verb_does_not_reach_into_another_workspace(
    api: Api, letters: list[DeadLetter], caller: Any, other_workspace: Any
) -> None:
    stranger = caller(Role.ADMIN, other_workspace)
    ids = {"filter": {"ids": [str(letters[0].run_id)]}}
    assert stranger.post("runs/bulk/", {"verb": "rerun", **ids}).json()["count"] == 0
    body = {"verb": "discard", "filter": {"ids": [letters[0].pk]}}
    assert stranger.post("dead-letters/bulk/", body).json()["count"] == 0
    problem_of(stranger.post(f"dead-letters/{letters[0].pk}/retry/"), 404, "not_found")
    assert stranger.get("dead-letters/").json()["results"] == []
