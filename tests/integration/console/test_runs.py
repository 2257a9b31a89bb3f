"""The list of runs: filters, cursor, and a price that does not grow with the history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from uuid_utils.compat import uuid7

from celesta.console.views import runs as view
from celesta.runs.models import Run
from celesta.workflows.models import WorkflowVersion


@pytest.fixture
def add_runs(version: WorkflowVersion) -> Callable[..., list[Run]]:
    def add(count: int, **facts: Any) -> list[Run]:
        now = timezone.now()
        rows = [
            Run(
                id=uuid7(),
                workspace=version.workflow.workspace,
                workflow=version.workflow,
                version=version,
                created_at=now - timedelta(minutes=count - i),
                **facts,
            )
            for i in range(count)
        ]
        return Run.objects.bulk_create(rows)

    return add


def test_newest_first_a_page_at_a_time(
    client_of: Callable[[str], Client], add_runs: Callable[..., list[Run]]
) -> None:
    rows = add_runs(view.ROWS + 3)
    client = client_of("viewer")
    first = client.get("/runs/").content.decode()
    assert str(rows[-1].pk) in first
    assert first.index(str(rows[-1].pk)) < first.index(str(rows[-2].pk))
    assert str(rows[2].pk) not in first
    second = client.get(f"/runs/?older={rows[3].pk}").content.decode()
    assert f"older={rows[3].pk}" in first
    assert all(str(row.pk) in second for row in rows[:3])
    assert "Older runs" not in second


def test_nothing_is_counted(
    client_of: Callable[[str], Client], add_runs: Callable[..., list[Run]]
) -> None:
    add_runs(5)
    client = client_of("viewer")
    with CaptureQueriesContext(connection) as queries:
        client.get("/runs/")
    assert not [q["sql"] for q in queries if "COUNT(" in q["sql"]]
    few = len(queries)
    add_runs(40)
    with CaptureQueriesContext(connection) as queries:
        client.get("/runs/")
    assert len(queries) == few


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=running", True),
        ("state=failed", False),
        ("state=nonsense", True),
        ("workflow={workflow}", True),
        ("workflow=999999", False),
        ("workflow=x", False),
        ("id={prefix}", True),
        ("id=ffff", False),
        ("workspace=default", True),
        ("workspace=elsewhere", False),
        ("older={prefix}", False),
    ],
)
def test_filters(
    query: str,
    found: bool,
    client_of: Callable[[str], Client],
    add_runs: Callable[..., list[Run]],
) -> None:
    (row,) = add_runs(1, state="running", started_at=timezone.now())
    asked = query.format(workflow=row.workflow_id, prefix=str(row.pk)[:13])
    page = client_of("superuser").get(f"/runs/?{asked}")
    assert page.status_code == 200
    assert (str(row.pk) in page.content.decode()) is found


def test_what_is_no_part_of_an_id_is_said(client_of: Callable[[str], Client], run: Run) -> None:
    page = client_of("viewer").get("/runs/?id=hello").content.decode()
    assert "That is no part of a run" in page
    assert str(run.pk) not in page


def test_an_empty_list_leads_on(client_of: Callable[[str], Client]) -> None:
    assert b"Choose a workflow to start" in client_of("viewer").get("/runs/").content


def test_the_script_gets_only_the_table(client_of: Callable[[str], Client], run: Run) -> None:
    answer = client_of("viewer").get("/runs/", headers={"X-Celesta-Fragment": "1"})
    assert str(run.pk) in answer.content.decode()
    assert b"<html" not in answer.content


def test_a_row_has_the_beginning_of_the_id_and_the_whole_on_hovering(
    client_of: Callable[[str], Client], run: Run
) -> None:
    page = client_of("viewer").get("/runs/").content.decode()
    assert f'<code title="{run.pk}">{str(run.pk)[:18]}</code>' in page
