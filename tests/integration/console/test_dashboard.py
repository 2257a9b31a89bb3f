"""The first page: what it tells, that it keeps to its workspaces, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from uuid_utils.compat import uuid7

from celesta.access.models import Workspace
from celesta.access.principals import SYSTEM
from celesta.runs import figures, transitions, upkeep
from celesta.runs.models import NodeRun, Run
from celesta.triggers import schedules
from celesta.triggers.models import Schedule
from celesta.workflows import publishing
from celesta.workflows.models import WorkflowVersion

DASHBOARD = "/dashboard/"


@pytest.fixture
def add(version: WorkflowVersion) -> Callable[..., Run]:
    def add_run(state: str, *, lasted: float | None = None, **facts: Any) -> Run:
        now = timezone.now()
        began = now - timedelta(seconds=lasted) if lasted is not None else None
        run = Run(
            id=uuid7(), workspace=version.workflow.workspace, workflow=version.workflow,
            version=version, state=state, created_at=now, started_at=began,
            finished_at=now if began else None, **facts,
        )  # fmt: skip
        run.save(force_insert=True)
        return run

    return add_run


def _tile(page: str, name: str) -> str:
    """The number on the tile with that name."""
    after = page[page.index(f"<span>{name}</span>") :]
    return after[after.index("<b>") + 3 : after.index("</b>")]


def test_tiles_say_what_is_open_and_what_became_of_the_rest(
    client_of: Callable[[str], Client], add: Callable[..., Run]
) -> None:
    for _ in range(3):
        add("running")
    add("paused")
    for seconds in (1, 2, 9):
        add("succeeded", lasted=seconds)
    add("failed", lasted=4, error={"code": "node_failed", "node": "pay", "message": "no money"})
    page = client_of("viewer").get(DASHBOARD).content.decode()
    assert _tile(page, "running") == "3"
    assert _tile(page, "paused") == "1"
    assert _tile(page, "pending") == "0"
    assert _tile(page, "failed") == "1"
    assert _tile(page, "succeeded of those that ended") == "75 %"
    assert _tile(page, "median duration") == "4.00 s"
    assert "8 runs" in page
    assert "no money" in page
    assert "orders.fulfil · pay" in page


def test_the_same_failure_is_told_once_with_its_number(
    client_of: Callable[[str], Client], add: Callable[..., Run]
) -> None:
    for i in range(5):
        add("failed", lasted=1, error={"code": "node_failed", "node": "pay", "message": f"no {i}"})
    add("failed", lasted=1, error={"code": "run_timeout", "message": "too long"})
    page = client_of("viewer").get(DASHBOARD).content.decode()
    told = page[page.index("What fails") : page.index("Slowest nodes")]
    assert told.count("<li>") == 2
    assert "5\u00d7" in told
    assert "no 4" in told


def test_the_slowest_node_comes_first_and_other_versions_of_it_count_with_it(
    client_of: Callable[[str], Client], add: Callable[..., Run], version: WorkflowVersion
) -> None:
    newer = publishing.publish(
        version.workflow.workspace, version.source.replace("Fulfil an", "Send an"), by=None
    )
    index = version.plan.by_name()
    now = timezone.now()
    for published in (version, newer):
        run = add("succeeded", lasted=5)
        Run.objects.filter(pk=run.pk).update(version=published)
        for name, seconds in (("pay", 3), ("fetch", 1)):
            NodeRun.objects.create(
                run=run, scope=0, node=index[name].index, state="succeeded", attempt=1,
                ready_at=now - timedelta(seconds=seconds + 2),
                started_at=now - timedelta(seconds=seconds), finished_at=now,
            )  # fmt: skip
    slow = figures.slowest(SYSTEM, timezone.now())
    assert [(one.node, one.times) for one in slow] == [("pay", 2), ("fetch", 2)]
    assert (round(slow[0].mean), round(slow[0].waited)) == (3, 2)
    page = client_of("viewer").get(DASHBOARD).content.decode()
    assert page.index(">pay</a>") < page.index(">fetch</a>")


def test_what_waits_for_a_worker_and_what_comes_next(
    client_of: Callable[[str], Client], run: Run, version: WorkflowVersion
) -> None:
    schedules.save(
        Schedule(
            workspace=run.workspace, workflow=version.workflow, name="nightly", cron="0 2 * * *",
            params={"order_id": 1},
        )
    )  # fmt: skip
    page = client_of("viewer").get(DASHBOARD).content.decode()
    waiting = page[page.index("Waiting for a worker") :]
    assert "<code>default</code>" in waiting
    assert "nightly" in page[page.index("Next scheduled runs") :]


def test_operators_see_the_workers_and_that_somebody_leads(
    client_of: Callable[[str], Client], run: Run
) -> None:
    transitions.register_slot("worker1@host", 7, ["default", "mail"], 30.0)
    page = client_of("operator").get(DASHBOARD).content.decode()
    assert "worker1@host" in page
    assert "default, mail" in page
    assert "Nobody leads" in page
    upkeep.take_lead("worker1@host", 30.0, None)
    assert "Nobody leads" not in client_of("operator").get(DASHBOARD).content.decode()
    assert "worker1@host" not in client_of("viewer").get(DASHBOARD).content.decode()


def test_other_workspaces_are_not_in_it(
    client_of: Callable[[str], Client], add: Callable[..., Run], run: Run
) -> None:
    add("failed", lasted=1, error={"code": "node_failed", "node": "pay", "message": "secret"})
    page = client_of("stranger").get(DASHBOARD).content.decode()
    assert "secret" not in page
    assert "Nothing was started" in page
    assert "<code>default</code>" not in page
    assert _tile(page, "pending") == "0"


def test_a_new_installation_is_told_how_to_begin(client_of: Callable[[str], Client]) -> None:
    page = client_of("viewer").get(DASHBOARD).content.decode()
    assert "Choose a workflow to start" in page
    assert client_of("viewer").get("/", follow=True).redirect_chain == [(DASHBOARD, 302)]


def test_counting_has_a_bound_and_its_price_does_not_grow(
    client_of: Callable[[str], Client],
    add: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
    workspace: Workspace,
) -> None:
    monkeypatch.setattr(figures, "BOUND", 3)
    monkeypatch.setattr(figures, "SAMPLE", 4)
    for _ in range(3):
        add("running")
    client = client_of("viewer")
    assert _tile(client.get(DASHBOARD).content.decode(), "running") == "3"
    with CaptureQueriesContext(connection) as few:
        client.get(DASHBOARD)
    for _ in range(6):
        add("running")
    with CaptureQueriesContext(connection) as more:
        page = client.get(DASHBOARD).content.decode()
    assert _tile(page, "running") == "3+"
    assert "the newest 4 runs" in page
    assert len(few) == len(more)
    unbounded = [q["sql"] for q in more if "celesta_run" in q["sql"] and "LIMIT" not in q["sql"]]
    assert not [sql for sql in unbounded if "COUNT(" in sql]


def test_only_what_changes_is_sent_to_an_open_page(
    client_of: Callable[[str], Client], add: Callable[..., Run]
) -> None:
    add("running")
    answer = client_of("viewer").get(DASHBOARD, headers={"X-Celesta-Fragment": "1"})
    assert b"<html" not in answer.content
    assert _tile(answer.content.decode(), "running") == "1"


# -- the grid


def _node(run: Run, index: int, state: str) -> None:
    NodeRun.objects.create(
        run=run, scope=0, node=index, state=state, attempt=1, finished_at=timezone.now()
    )


def _grid(client: Client, version: WorkflowVersion, query: str = "") -> str:
    address = reverse("celesta_console:grid", args=[version.workflow_id])
    page: str = client.get(address + query).content.decode()
    return page


def test_runs_beside_each_other_newest_last(
    client_of: Callable[[str], Client], add: Callable[..., Run], version: WorkflowVersion
) -> None:
    index = version.plan.by_name()["pay"].index
    runs = [add(state, lasted=1) for state in ("failed", "succeeded")]
    for run in runs:
        _node(run, index, run.state)
    page = _grid(client_of("viewer"), version)
    assert page.index(str(runs[0].pk)) < page.index(str(runs[1].pk))
    line = page[page.index('<th scope="row" title="pay">') :]
    line = line[: line.index("</tr>")]
    assert line.index('class="s-failed"') < line.index('class="s-succeeded"')
    assert f"/runs/{runs[0].pk}/nodes/0/{index}/" in line
    assert "pay: failed" in line  # for those who do not see colours


def test_a_node_that_a_version_does_not_have_leaves_its_cell_empty(
    client_of: Callable[[str], Client], add: Callable[..., Run], version: WorkflowVersion
) -> None:
    old = add("succeeded", lasted=1)
    source = version.source + "  late: {type: transform, needs: [ship], with: {output: 1}}\n"
    newer = publishing.publish(version.workflow.workspace, source, by=None)
    new = add("succeeded", lasted=1)
    Run.objects.filter(pk=new.pk).update(version=newer)
    index = newer.plan.by_name()["late"].index
    _node(new, index, "succeeded")
    page = _grid(client_of("viewer"), version)
    line = page[page.index('<th scope="row" title="late">') :]
    line = line[: line.index("</tr>")]
    assert line.count("<td>") == 2
    assert line.startswith('<th scope="row" title="late">late</th><td></td><td><a')
    assert str(old.pk) in page


def test_older_runs_are_on_the_next_page(
    client_of: Callable[[str], Client], add: Callable[..., Run], version: WorkflowVersion
) -> None:
    from celesta.console.views import grid

    runs = [add("succeeded", lasted=1) for _ in range(grid.RUNS + 2)]
    client = client_of("viewer")
    first = _grid(client, version)
    assert f"?older={runs[2].pk}" in first
    second = _grid(client, version, f"?older={runs[2].pk}")
    assert str(runs[0].pk) in second
    assert str(runs[1].pk) in second
    assert str(runs[2].pk) not in second
    nonsense = _grid(client, version, "?older=nonsense&from=x")
    assert all(str(run.pk) in nonsense for run in runs[2:])


def test_an_empty_grid_says_what_it_is_for(
    client_of: Callable[[str], Client], version: WorkflowVersion
) -> None:
    page = _grid(client_of("operator"), version)
    assert "every run is a column" in page
    assert "Start the first run" in page
