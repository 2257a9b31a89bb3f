"""The page of a run: what it shows, what changes, what can be done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from celesta.access.principals import SYSTEM
from celesta.console.drawing import pictures
from celesta.engine.start import start_run
from celesta.runs.models import Event, Expansion, Item, NodeRun, Output, Run, Slot
from celesta.workflows import publishing
from celesta.workflows.models import WorkflowVersion
from tests.integration.console.conftest import DOCUMENT

FRAGMENT = {"X-Celesta-Fragment": "1"}


@pytest.fixture
def index(version: WorkflowVersion) -> Callable[[str], int]:
    nodes = version.plan.by_name()
    return lambda name: nodes[name].index


def _end(run: Run, node: int, state: str, **facts: Any) -> None:
    now = timezone.now()
    NodeRun.objects.filter(run=run, scope=0, node=node).update(
        state=state, attempt=1, started_at=now - timedelta(seconds=2), finished_at=now, **facts
    )


def test_nodes_with_state_attempt_way_worker_and_error(
    client_of: Callable[[str], Client], run: Run, index: Callable[[str], int]
) -> None:
    slot = Slot.objects.create(
        worker="worker1@host", pid=4242, queues=["default"], lease_until=timezone.now(),
        started_at=timezone.now(),
    )  # fmt: skip
    _end(run, index("pay"), "failed", via="chord", slot=slot.pk)
    Output.objects.create(
        run=run, scope=0, node=index("pay"),
        error={"code": "http_status", "message": "502 Bad Gateway\nmore"},
    )  # fmt: skip
    page = client_of("viewer").get(reverse("celesta_console:run", args=[run.pk])).content.decode()
    row = page[page.index('<table class="rows dense">') :]
    row = row[row.index(">pay</a>") : row.index("</tr>", row.index(">pay</a>"))]
    for text in ("badge s-failed", "chord", "worker1@host · 4242", "502 Bad Gateway", "2.00 s"):
        assert text in row
    assert "more" not in row
    assert 'class="node s-failed"' in page


def test_events_speak_of_nodes_by_name_and_say_what_happened(
    client_of: Callable[[str], Client], run: Run, index: Callable[[str], int]
) -> None:
    failure = {"code": "http_status", "message": "502 Bad Gateway", "retryable": True}
    for kind, node, data in (
        ("run_ready", None, {"nodes": [index("fetch"), index("pay")]}),
        ("run_ready", None, {"node": index("lines.do"), "items": 3}),
        ("failed", index("pay"), failure),
        ("run_cancelling", None, {"code": "cancelled", "message": "too late", "by": "ann"}),
        ("artifact_deleted", index("pay"), {"artifact": 1, "name": "bill.pdf", "by": "ann"}),
    ):
        Event.objects.create(
            run=run, at=timezone.now(), kind=kind, node=node, data=data,
            scope=None if node is None else 0,
        )  # fmt: skip
    page = client_of("viewer").get(reverse("celesta_console:events", args=[run.pk]))
    text = " ".join(re.sub("<[^>]+>", " ", page.content.decode()).split())
    for said in (
        "fetch, pay ready",
        "lines.do ready 3 items",
        "pay failed http_status 502 Bad Gateway",
        "run cancelling cancelled too late by ann",
        "pay artifact deleted bill.pdf by ann",
    ):
        assert said in text, said
    assert "{" not in text[text.index("fetch, pay ready") - 300 :]


def test_a_cancellation_is_told_and_not_as_a_failure(
    client_of: Callable[[str], Client], run: Run
) -> None:
    error = {"code": "cancelled", "message": "not needed any more"}
    Run.objects.filter(pk=run.pk).update(
        state="cancelled", error=error, started_at=run.created_at, finished_at=timezone.now()
    )
    client = client_of("viewer")
    page = client.get(reverse("celesta_console:run", args=[run.pk])).content.decode()
    assert "not needed any more" in page
    assert "notice bad" not in page
    listed = client.get(reverse("celesta_console:runs")).content.decode()
    assert '<span class="reason">not needed any more' in listed


def test_a_map_shows_its_items_by_state(
    client_of: Callable[[str], Client], run: Run, index: Callable[[str], int]
) -> None:
    lines, body = index("lines"), index("lines.do")
    Expansion.objects.create(run=run, first_scope=1, scope=0, node=lines, body=body, total=3)
    for i, state in enumerate(("running", "ready", "ready")):
        Item.objects.create(run=run, scope=1 + i, value={"sku": f"A-{i}"})
        NodeRun.objects.create(run=run, scope=1 + i, node=body, state=state)
    client = client_of("viewer")
    page = client.get(reverse("celesta_console:run", args=[run.pk])).content.decode()
    assert "1 running" in page
    assert "2 ready" in page
    assert "0 / 3" in page
    address = reverse("celesta_console:node", args=[run.pk, 0, lines])
    panel = client.get(address, headers=FRAGMENT).content.decode()
    assert all(f"A-{i}" in panel for i in range(3))
    ready = client.get(f"{address}?state=ready", headers=FRAGMENT).content.decode()
    assert "A-0" not in ready
    assert "A-2" in ready
    for none in ("%00", "x"):
        every = client.get(f"{address}?state={none}", headers=FRAGMENT)
        assert "A-0" in every.content.decode()
    later = client.get(f"{address}?after=2", headers=FRAGMENT).content.decode()
    assert "A-1" not in later
    assert "A-2" in later


def test_a_node_shows_input_output_error_and_attempts(
    client_of: Callable[[str], Client], run: Run, index: Callable[[str], int]
) -> None:
    pay = index("pay")
    _end(run, pay, "failed")
    Output.objects.create(
        run=run, scope=0, node=pay, value={"paid": 12},
        error={"code": "boom", "message": "it <broke>", "traceback": "File pay.py, line 3"},
    )  # fmt: skip
    for attempt, kind in ((1, "running"), (1, "waiting"), (2, "running"), (2, "failed")):
        Event.objects.create(
            run=run, at=timezone.now(), kind=kind, scope=0, node=pay, attempt=attempt
        )
    address = reverse("celesta_console:node", args=[run.pk, 0, pay])
    page = client_of("viewer").get(address).content.decode()
    for text in (
        "{{ nodes.fetch.output }}", "&quot;paid&quot;: 12", "it &lt;broke&gt;",
        "File pay.py, line 3", "attempt 2",
    ):  # fmt: skip
        assert text in page
    assert "<html" in page
    fragment = client_of("viewer").get(address, headers=FRAGMENT)
    assert b"<html" not in fragment.content


def test_an_unknown_node_is_not_found(client_of: Callable[[str], Client], run: Run) -> None:
    for scope, node in ((0, 99), (7, 0), (0, 2**40)):
        address = reverse("celesta_console:node", args=[run.pk, scope, node])
        assert client_of("viewer").get(address).status_code == 404


def test_the_script_hears_nothing_while_nothing_happens(
    client_of: Callable[[str], Client], run: Run
) -> None:
    client, address = client_of("viewer"), reverse("celesta_console:run", args=[run.pk])
    seen = Event.objects.filter(run=run).latest("id").pk
    quiet = client.get(f"{address}?seen={seen}&was={run.state}", headers=FRAGMENT)
    assert quiet.status_code == 204
    Event.objects.create(run=run, at=timezone.now(), kind="running", scope=0, node=0, attempt=1)
    news = client.get(f"{address}?seen={seen}&was={run.state}", headers=FRAGMENT)
    assert news.status_code == 200
    assert b"<html" not in news.content
    assert b"fetch" in news.content
    changed = client.get(f"{address}?seen={seen + 1}&was=running", headers=FRAGMENT)
    assert changed.status_code == 200


def test_the_table_of_nodes_filters_and_pages(
    client_of: Callable[[str], Client], run: Run, index: Callable[[str], int]
) -> None:
    _end(run, index("fetch"), "succeeded")
    client, address = client_of("viewer"), reverse("celesta_console:run", args=[run.pk])

    def rows(query: str) -> list[str]:
        page = client.get(f"{address}?{query}", headers=FRAGMENT).content.decode()
        table = page[page.index('<table class="rows dense">') : page.index("</table>")]
        return re.findall(r"data-panel>([\w.]+)</a>", table)

    assert rows("state=succeeded") == ["fetch"]
    assert rows("") == ["fetch", "lines", "pay", "ship"]
    assert rows(f"after={index('lines')}") == ["pay", "ship"]


def test_values_are_downloaded_whole(client_of: Callable[[str], Client], run: Run) -> None:
    client = client_of("viewer")
    answer = client.get(reverse("celesta_console:value", args=[run.pk, "params"]))
    assert answer.json() == {"order_id": 7, "express": False}
    assert answer.headers["Content-Disposition"].startswith("attachment")
    Output.objects.create(run=run, scope=0, node=0, value=[1, "é"])
    node = client.get(reverse("celesta_console:value", args=[run.pk, "node"]) + "?scope=0&node=0")
    assert node.json() == [1, "é"]


def test_the_same_queries_however_many_nodes(
    client_of: Callable[[str], Client], version: WorkflowVersion
) -> None:
    def queries(count: int) -> int:
        nodes = "\n".join(f"  n{i}: {{type: transform, with: {{output: 1}}}}" for i in range(count))
        text = f"workflow: wide.n{count}\nnodes:\n{nodes}\n"
        found = publishing.publish(version.workflow.workspace, text, by=None)
        wide = start_run(found, {}, principal=SYSTEM).run
        client = client_of("viewer")
        with CaptureQueriesContext(connection) as seen:
            page = client.get(reverse("celesta_console:run", args=[wide.pk]))
        assert page.status_code == 200
        return len(seen)

    assert queries(3) == queries(400)


def test_a_large_graph_is_drawn_by_layers(
    client_of: Callable[[str], Client], version: WorkflowVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "DRAWN", 300)
    nodes = "\n".join(
        f"  n{i}: {{type: transform, with: {{output: 1}}"
        + (f", needs: [n{i - 20}]}}" if i >= 20 else "}")
        for i in range(400)
    )
    found = publishing.publish(
        version.workflow.workspace, f"workflow: deep.one\nnodes:\n{nodes}\n", by=None
    )
    large = start_run(found, {}, principal=SYSTEM).run
    page = client_of("viewer").get(reverse("celesta_console:run", args=[large.pk])).content.decode()
    assert "Layer 20" in page
    assert "Too many nodes" in page
    assert "Next nodes" in page


def test_run_again_takes_the_current_version_and_the_same_params(
    client_of: Callable[[str], Client], run: Run
) -> None:
    newer = publishing.publish(run.workspace, DOCUMENT.replace("[1, 2, 3]", "[4]"), by=None)
    client = client_of("operator")
    answer = client.post(reverse("celesta_console:again", args=[run.pk]), follow=True)
    new = Run.objects.exclude(pk=run.pk).get()
    assert (new.version, new.params, new.trigger) == (newer, run.params, "console")
    assert new.created_by == "operator"
    page = answer.content.decode()
    assert "Started with the same params, on version 2." in page
    assert reverse("celesta_console:run", args=[run.pk]) in page


def test_run_again_of_an_inactive_workflow_is_refused(
    client_of: Callable[[str], Client], run: Run
) -> None:
    client_of("author").post(
        reverse("celesta_console:activate", args=[run.workflow_id]), {"active": "0"}
    )
    answer = client_of("operator").post(reverse("celesta_console:again", args=[run.pk]))
    assert answer.status_code == 409
    assert b"workflow_inactive" in answer.content
    assert Run.objects.count() == 1


@pytest.fixture
def committed(transactional_db: None) -> None:
    """The engine cancels over its own connection, which sees only what is committed."""


def test_cancel_asks_and_then_cancels(
    committed: None, client_of: Callable[[str], Client], run: Run
) -> None:
    client, address = client_of("operator"), reverse("celesta_console:cancel", args=[run.pk])
    assert b"Cancel this run?" in client.get(address).content
    run.refresh_from_db()
    assert run.state == "pending"
    page = client.post(address, {"reason": "wrong <order>"}, follow=True).content.decode()
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "wrong &lt;order&gt;" in page
    viewer = client_of("viewer").post(address)
    assert viewer.status_code == 403


def test_cancelling_what_is_over_is_refused_with_the_reason(
    committed: None, client_of: Callable[[str], Client], run: Run
) -> None:
    Run.objects.filter(pk=run.pk).update(state="succeeded", finished_at=timezone.now())
    answer = client_of("operator").post(reverse("celesta_console:cancel", args=[run.pk]))
    assert answer.status_code == 409
    assert b"run_already_finished" in answer.content
