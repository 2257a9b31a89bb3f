"""The list of workflows, their pages, versions and switches."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from celesta.console.views import workflows as view
from celesta.runs.models import Run
from celesta.triggers import schedules
from celesta.triggers.models import Schedule
from celesta.workflows import publishing
from celesta.workflows.models import Workflow, WorkflowVersion
from tests.integration.console.conftest import DOCUMENT


def page(client: Client, name: str, *args: object) -> str:
    answer = client.get(reverse(f"celesta_console:{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_says_title_name_tags_version_and_last_run(
    client_of: Callable[[str], Client], run: Run
) -> None:
    listed = page(client_of("viewer"), "workflows")
    for text in ("Fulfil an order", "orders.fulfil", ">orders</a>", ">v1<", "badge s-pending"):
        assert text in listed
    assert "New workflow" not in listed
    assert "New workflow" in page(client_of("author"), "workflows")


def test_the_list_is_searched_and_paged_in_as_many_queries(
    client_of: Callable[[str], Client], version: WorkflowVersion
) -> None:
    workspace = version.workflow.workspace
    names = [f"w.{i:03}" for i in range(view.ROWS + 2)]
    Workflow.objects.bulk_create([Workflow(workspace=workspace, name=name) for name in names])
    client = client_of("viewer")
    with CaptureQueriesContext(connection) as seen:
        first = client.get("/workflows/").content.decode()
    assert len(seen) <= 12  # not one per workflow
    after = first.split("after=")[1].split('"')[0]
    second = client.get(f"/workflows/?after={after}").content.decode()
    assert names[-1] not in first
    assert names[-1] in second
    found = client.get("/workflows/?search=fulfil").content.decode()
    assert "orders.fulfil" in found
    assert names[0] not in found
    assert names[0] not in client.get("/workflows/?tag=orders").content.decode()
    assert "No workflow is like that" in client.get("/workflows/?tag=none").content.decode()


def test_the_page_shows_graph_params_in_written_order_and_runs(
    client_of: Callable[[str], Client], run: Run
) -> None:
    shown = page(client_of("viewer"), "workflow", run.workflow_id)
    assert shown.count('class="node"') == 4
    assert shown.index(">order_id<") < shown.index(">express<")
    assert reverse("celesta_console:run", args=[run.pk]) in shown
    assert "Deactivate" not in shown


def test_switching_off_and_on(client_of: Callable[[str], Client], run: Run) -> None:
    author = client_of("author")
    address = reverse("celesta_console:activate", args=[run.workflow_id])
    author.post(address, {"active": "0"})
    shown = page(author, "workflow", run.workflow_id)
    assert "takes no runs" in shown
    assert reverse("celesta_console:start", args=[run.workflow_id]) not in shown
    author.post(address, {"active": "1"})
    assert Workflow.objects.get(pk=run.workflow_id).active


def test_pausing_and_resuming(client_of: Callable[[str], Client], run: Run) -> None:
    author, workflow = client_of("author"), run.workflow
    schedule = schedules.save(
        Schedule(
            workspace=workflow.workspace, workflow=workflow, name="nightly", cron="0 2 * * *",
            params={"order_id": 1},
        )
    )  # fmt: skip
    address = reverse("celesta_console:pause", args=[workflow.pk])
    listed = reverse("admin:celesta_triggers_schedule_changelist")
    form = reverse("admin:celesta_triggers_schedule_change", args=[schedule.pk])

    author.post(address)

    shown = page(author, "workflow", workflow.pk)
    assert '<span class="tag">paused</span>' in shown
    assert "held back" in shown
    assert ">Resume<" in shown
    assert reverse("celesta_console:start", args=[workflow.pk]) in shown
    assert '<span class="tag">paused</span>' in page(author, "workflows")
    assert b"workflow paused" in author.get(listed).content
    assert b"none while the workflow is paused" in author.get(form).content

    author.post(address, {"paused": "0"})

    shown = page(author, "workflow", workflow.pk)
    assert ">Pause<" in shown
    assert "held back" not in shown
    assert b"workflow paused" not in author.get(listed).content
    assert b"none while the workflow is paused" not in author.get(form).content


def test_versions_source_difference_and_going_back(
    client_of: Callable[[str], Client], version: WorkflowVersion, run: Run
) -> None:
    changed = DOCUMENT.replace("[1, 2, 3]", "[1, 2]").replace("  ship:", "  send:")
    publishing.publish(version.workflow.workspace, changed, by=None, note="shorter")
    author, pk = client_of("author"), version.workflow_id
    listed = page(author, "versions", pk)
    assert "shorter" in listed
    assert "what changed" in listed
    source = page(author, "version", pk, 1)
    assert "over: [1, 2, 3]" in source
    assert "Publish again" in source
    diff = page(author, "diff", pk, 1, 2)
    assert 'class="removed">ship' in diff
    assert 'class="added">send' in diff
    assert '<span class="removed">-' in diff
    answer = author.post(reverse("celesta_console:restore", args=[pk, 1]), follow=True)
    assert b"Published as version 3." in answer.content
    workflow = Workflow.objects.get(pk=pk)
    assert workflow.current is not None
    assert workflow.current.checksum == version.checksum
    run.refresh_from_db()
    assert run.version_id == version.pk


def test_unknown_ones_are_not_found(
    client_of: Callable[[str], Client], version: WorkflowVersion
) -> None:
    client = client_of("viewer")
    for address in (
        "/workflows/99999999999999999999999/",
        f"/workflows/{version.workflow_id}/versions/9/",
    ):
        answer = client.get(address)
        assert answer.status_code == 404
        assert b"There is nothing here" in answer.content


def test_the_admins_entries_lead_to_our_pages(client_of: Callable[[str], Client], run: Run) -> None:
    client = client_of("author")
    for name, args, leads in (
        ("celesta_workflows_workflow_changelist", [], "workflows"),
        ("celesta_workflows_workflow_add", [], "workflow-new"),
        ("celesta_workflows_workflow_change", [run.workflow_id], "workflow"),
        ("celesta_runs_run_changelist", [], "runs"),
        ("celesta_runs_run_change", [run.pk], "run"),
    ):
        answer = client.get(reverse(f"admin:{name}", args=args))
        assert answer.headers["Location"] == reverse(f"celesta_console:{leads}", args=args)
    index = client.get(reverse("admin:index")).content.decode()
    assert reverse("admin:celesta_workflows_workflow_changelist") in index


def test_of_many_schedules_the_next_ones_are_listed(
    client_of: Callable[[str], Client], run: Run
) -> None:
    author, workflow = client_of("author"), run.workflow
    for number in range(23):
        schedules.save(
            Schedule(
                workspace=workflow.workspace, workflow=workflow, name=f"at-{number:02}",
                cron=f"0 0 1 1 {number % 7}" if number < 3 else f"{number} * * * *",
                params={"order_id": 1},
            )
        )  # fmt: skip
    shown = page(author, "workflow", workflow.pk)
    assert shown.count("next <time") == 20
    assert "at-00" not in shown  # it comes in January
    listed = reverse("admin:celesta_triggers_schedule_changelist")
    link = f"{listed}?workflow__id__exact={workflow.pk}"
    assert link in shown
    assert "All 23 schedules" in shown
    assert b"at-00" in author.get(link).content
