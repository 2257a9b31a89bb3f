"""Many runs in one call: each by itself, or all or none."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from celesta.runs.models import NodeRun, Run
from tests.integration.api.conftest import Api, problem_of

BULK = "workflows/orders.fulfil/runs/bulk/"


def item(number: object, key: str | None = None) -> dict[str, Any]:
    return {"params": {"order_id": number}, **({"idempotency_key": key} if key else {})}


def test_each_is_started_or_refused_by_itself(api: Api, published: Any) -> None:
    first = api.post(BULK, {"runs": [item(1, "a")]}).json()["results"][0]["id"]

    body = api.post(
        BULK, {"runs": [item(2), item("x"), item(1, "a"), item(9, "a"), item(3, "b"), item(3, "b")]}
    ).json()

    assert [one["status"] for one in body["results"]] == [201, 400, 200, 409, 201, 200]
    assert (body["created"], body["replayed"], body["refused"]) == (2, 2, 2)
    results = body["results"]
    assert results[2]["id"] == first
    assert results[4]["id"] == results[5]["id"]  # one key, one run, within one call too
    assert results[1]["problem"]["code"] == "invalid_params"
    assert results[1]["problem"]["errors"][0]["path"] == "params.order_id"
    assert results[3]["problem"]["code"] == "idempotency_conflict"
    run = Run.objects.get(pk=results[0]["id"])
    assert (run.params, run.trigger) == ({"order_id": 2, "express": False}, "api")
    assert NodeRun.objects.filter(run=run).count() == 3
    assert Run.objects.count() == 3


def test_all_or_none(api: Api, published: Any) -> None:
    api.post(BULK, {"runs": [item(1, "a")]})

    refused = api.post(BULK, {"runs": [item(2), item("x"), item(9, "a")], "atomic": True})
    problem = problem_of(refused, 400, "bulk_refused")
    assert [error["path"] for error in problem["errors"]] == ["runs[1].params.order_id", "runs[2]"]
    assert Run.objects.count() == 1
    assert api.post(BULK, {"runs": [item(2), item(3)], "atomic": True}).json()["created"] == 2


def test_a_thousand_are_one_call_to_the_database(api: Api, published: Any) -> None:
    with CaptureQueriesContext(connection) as asked:
        body = api.post(BULK, {"runs": [item(n, f"k{n}") for n in range(1000)]}).json()

    assert body["created"] == 1000
    assert len(asked) < 15, [query["sql"][:80] for query in asked]
    again = api.post(BULK, {"runs": [item(n, f"k{n}") for n in range(1000)]}).json()
    assert (again["created"], again["replayed"]) == (0, 1000)
    assert [one["id"] for one in again["results"]] == [one["id"] for one in body["results"]]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"runs": []}, {"runs": [item(1)] * 1001}, {"runs": [{"parms": {}}]},
        {"runs": [item(1)], "atomc": True}, {"runs": [{"idempotency_key": "\t"}]},
    ],
)  # fmt: skip
def test_a_body_that_means_nothing_is_refused(api: Api, published: Any, body: Any) -> None:
    problem_of(api.post(BULK, body), 400, "invalid_input")
    assert not Run.objects.exists()


def test_what_cannot_be_started_at_all(api: Api, published: Any) -> None:
    problem_of(api.post(BULK, {"runs": [item(1)], "version": 7}), 404, "not_found")
    api.post("workflows/orders.fulfil/deactivate/")
    problem_of(api.post(BULK, {"runs": [item(1)]}), 409, "workflow_inactive")
