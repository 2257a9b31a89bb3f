"""Lists: every filter, order, search and choice of fields; and what is not known is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from uuid_utils.compat import uuid7

from celesta.runs.listing import RunFilter
from celesta.runs.models import Run
from celesta.workflows.models import WorkflowVersion
from tests.integration.api.conftest import DOCUMENT, Api, problem_of

STATES = ("pending", "running", "succeeded", "failed", "cancelled")
TRIGGERS = ("api", "schedule", "console")


@pytest.fixture
def runs(api: Api, published: Any) -> list[Run]:
    """Sixty runs of two workflows in every state and of three triggers, newest last."""
    api.post("workflows/", DOCUMENT.replace("orders.fulfil", "audit.nightly"))
    versions = list(WorkflowVersion.objects.select_related("workflow").order_by("id"))
    now = timezone.now()
    rows = []
    for number in range(60):
        version, state = versions[number % 2], STATES[number % 5]
        rows.append(
            Run(
                id=uuid7(), workspace=version.workflow.workspace, workflow=version.workflow,
                version=version, state=state, trigger=TRIGGERS[number % 3],
                idempotency_key=f"key-{number}", created_at=now - timedelta(minutes=60 - number),
                started_at=None if state == "pending" else now,
                finished_at=now if state in ("succeeded", "failed", "cancelled") else None,
            )
        )  # fmt: skip
    return Run.objects.bulk_create(rows)


def walked(api: Api, address: str) -> list[str]:
    """Ids of all rows, page by page."""
    found: list[str] = []
    following: str | None = address
    while following:
        body = api.get(following).json()
        found += [row["id"] for row in body["results"]]
        following = body["next"]
    return found


def matching(runs: list[Run], condition: Callable[[Run], bool]) -> list[str]:
    return [str(run.pk) for run in reversed(runs) if condition(run)]


FILTERS: list[tuple[str, Callable[[Run], bool]]] = [
    ("", lambda run: True),
    ("state=failed", lambda run: run.state == "failed"),
    ("state=failed,running", lambda run: run.state in ("failed", "running")),
    ("trigger=schedule", lambda run: run.trigger == "schedule"),
    ("trigger=schedule,api", lambda run: run.trigger in ("schedule", "api")),
    (
        "trigger=schedule&state=failed,running",
        lambda run: run.trigger == "schedule" and run.state in ("failed", "running"),
    ),
    ("workflow=audit.nightly", lambda run: run.workflow.name == "audit.nightly"),
    (
        "workflow=audit.nightly&state=failed&trigger=api,console",
        lambda run: (
            run.workflow.name == "audit.nightly"
            and run.state == "failed"
            and run.trigger in ("api", "console")
        ),
    ),
    ("workflow=nobody", lambda run: False),
    ("q=nightly", lambda run: run.workflow.name == "audit.nightly"),
    ("q=Fulfil&state=running", lambda run: run.state == "running"),  # a title, of both
    ("q=key-7", lambda run: run.idempotency_key == "key-7"),
    ("q=nothing-of-the-kind", lambda run: False),
]


@pytest.mark.parametrize(("query", "condition"), FILTERS, ids=[query for query, _ in FILTERS])
def test_every_filter_gives_what_it_says_in_order_whatever_the_page(
    api: Api, runs: list[Run], query: str, condition: Callable[[Run], bool]
) -> None:
    expected = matching(runs, condition)

    assert walked(api, f"runs/?{query}&limit=7") == expected
    assert walked(api, f"runs/?{query}&limit=7&order=created_at") == expected[::-1]
    assert walked(api, f"runs/?{query}&limit=500") == expected


def test_times_and_ids(api: Api, runs: list[Run]) -> None:
    moment = runs[30].created_at.isoformat().replace("+00:00", "Z")

    after = matching(runs, lambda run: run.created_at >= runs[30].created_at)
    assert walked(api, f"runs/?created_after={moment}&limit=9") == after
    failed = matching(runs, lambda run: run.state == "failed" and run.pk < runs[30].pk)
    assert walked(api, f"runs/?created_before={moment}&state=failed&limit=2") == failed
    one = str(runs[3].pk)
    assert walked(api, f"runs/?id={one}") == walked(api, f"runs/?q={one}") == [one]
    assert walked(api, f"runs/?q={one[:4]}&limit=50") == matching(runs, lambda run: True)


def test_too_many_combinations_are_asked_at_once(runs: list[Run]) -> None:
    states = ("pending", "running", "paused", "cancelling", "succeeded", "failed", "cancelled")
    many = RunFilter(
        workspaces=tuple(range(20_000, 20_040)),
        states=states,
        triggers=("api", "schedule", "console"),
    )
    here = RunFilter(workspaces=(runs[0].workspace_id, *range(10_000, 10_040)), states=states)

    assert many.page(5) == []
    assert [run.pk for run in here.page(5)] == [run.pk for run in runs[:-6:-1]]


def test_a_page_of_runs_counts_nothing_and_costs_two_queries(api: Api, runs: list[Run]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        api.get("runs/?state=failed,running&trigger=api")

    told = [query["sql"] for query in asked if "celesta_run" in query["sql"]]
    assert len(told) == 2
    assert not any("COUNT(" in sql for sql in told)


def test_only_the_fields_that_are_asked_for(api: Api, runs: list[Run]) -> None:
    rows = api.get("runs/?fields=id,state&limit=2").json()["results"]
    assert [row.keys() for row in rows] == [{"id", "state"}] * 2
    events = api.get("workflows/?fields=name").json()["results"]
    assert events == [{"name": "audit.nightly"}, {"name": "orders.fulfil"}]

    problem = problem_of(api.get("runs/?fields=id,stat"), 400, "invalid_query")
    assert "'stat'" in problem["detail"]
    assert "state" in problem["detail"]


@pytest.mark.parametrize(
    "address", ["runs/", "workflows/", "schedules/", "variables/", "tokens/", "me/", "node-types/"]
)
def test_an_unknown_parameter_is_named_with_the_known_ones(api: Api, address: str) -> None:
    problem = problem_of(api.get(f"{address}?stat=failed&limi=1"), 400, "invalid_query")

    assert {error["path"] for error in problem["errors"]} == {"stat", "limi"}
    assert "Known: " in problem["detail"]
    if "limit" in problem["detail"]:
        hints = {error["path"]: error["hint"] for error in problem["errors"]}
        assert hints["limi"] == "Did you mean 'limit'?"


def test_workflows_in_order_and_by_search(api: Api, runs: list[Run]) -> None:
    def names(query: str) -> list[str]:
        return [row["name"] for row in api.get(f"workflows/?{query}").json()["results"]]

    assert names("order=-name") == ["orders.fulfil", "audit.nightly"]
    assert names("order=updated_at") == ["orders.fulfil", "audit.nightly"]
    assert names("order=-updated_at") == ["audit.nightly", "orders.fulfil"]
    assert names("q=night") == names("search=night") == ["audit.nightly"]
    problem_of(api.get("workflows/?order=colour"), 400, "invalid_query")
    first = api.get("workflows/?order=-updated_at&limit=1").json()
    assert [row["name"] for row in api.get(first["next"]).json()["results"]] == ["orders.fulfil"]


def test_variables_by_search(api: Api) -> None:
    for name, text in (("shop_url", "where orders go"), ("limit", "")):
        api.post("variables/", {"name": name, "value": 1, "description": text})

    for query, expected in (("q=SHOP", ["shop_url"]), ("q=orders", ["shop_url"]), ("q=x", [])):
        rows = api.get(f"variables/?{query}").json()["results"]
        assert [row["name"] for row in rows] == expected


@pytest.mark.parametrize(
    "address",
    [
        "workflows/", "workflows/orders.fulfil/versions/", "workflows/orders.fulfil/runs/",
        "runs/", "schedules/", "backfills/", "dead-letters/", "workflows/orders.fulfil/grid/",
    ],
)  # fmt: skip
def test_no_list_reads_the_drafts_of_its_rows(api: Api, runs: list[Run], address: str) -> None:
    """A draft may have megabytes, and every row of a list has its workflow's."""
    timing = {"workflow": "orders.fulfil", "every": 3600, "params": {"order_id": 1}}
    made = [
        api.post("schedules/", {**timing, "name": "hourly"}),
        api.post(
            "backfills/",
            {**timing, "begin": "2026-01-01T00:00:00Z", "until": "2026-01-01T03:00:00Z"},
        ),
    ]
    assert {one.status_code for one in made} == {201}

    with CaptureQueriesContext(connection) as asked:
        assert api.get(address).status_code == 200
    assert any("celesta_workflow" in query["sql"] for query in asked)
    assert not [query["sql"] for query in asked if '."draft",' in query["sql"]]
