"""The timeline: waiting and running told apart, attempts beside each other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from celesta.console.showing import timeline as showing
from celesta.runs.models import Event, NodeRun, Run
from celesta.workflows.models import WorkflowVersion

Tell = Callable[..., None]


@pytest.fixture
def tell(run: Run, version: WorkflowVersion) -> Tell:
    """Writes an event of a node of the run, some seconds after its beginning."""
    Event.objects.filter(run=run).delete()
    index = version.plan.by_name()

    def write(seconds: float, kind: str, node: str, attempt: int | None = None, data: Any = None):  # type: ignore[no-untyped-def]
        Event.objects.create(
            run=run, at=run.created_at + timedelta(seconds=seconds), kind=kind, scope=0,
            node=index[node].index, attempt=attempt, data=data,
        )  # fmt: skip

    return write


def _over(run: Run, version: WorkflowVersion, node: str, state: str, attempts: int) -> datetime:
    end = run.created_at + timedelta(seconds=10)
    Run.objects.filter(pk=run.pk).update(state="failed", finished_at=end, error={"code": "x"})
    NodeRun.objects.filter(run=run, scope=0, node=version.plan.by_name()[node].index).update(
        state=state, attempt=attempts, finished_at=end, ready_at=run.created_at
    )
    run.refresh_from_db()
    return end


def _page(client: Client, run: Run, query: str = "") -> str:
    page: str = client.get(
        reverse("celesta_console:timeline", args=[run.pk]) + query
    ).content.decode()
    return page


def test_queue_attempts_and_pauses_are_told_apart(
    client_of: Callable[[str], Client], run: Run, version: WorkflowVersion, tell: Tell
) -> None:
    tell(0, "ready", "pay")
    tell(1, "running", "pay", 1)
    tell(3, "waiting", "pay", 1, {"code": "http_status", "message": "502 <Bad> Gateway"})
    tell(5, "ready", "pay")
    tell(6, "running", "pay", 2)
    tell(10, "failed", "pay", 2, {"code": "http_status", "message": "503"})
    end = _over(run, version, "pay", "failed", 2)
    shown = showing.timeline(run, end)
    (line,) = [line for line in shown.lines if line.node.name == "pay"]
    assert [(p.look, p.x, p.width) for p in line.pieces] == [
        ("ready", 0, 10), ("failed", 10, 20), ("waiting", 30, 20), ("ready", 50, 10),
        ("failed", 60, 40),
    ]  # fmt: skip
    assert (line.ran, line.waited, line.attempts) == ("6.00 s", "4.00 s", 2)
    assert [tick.label for tick in shown.ticks] == ["0", "2 s", "4 s", "6 s", "8 s", "10 s"]
    page = _page(client_of("viewer"), run)
    assert "attempt 1: 2.00 s, failed: 502 &lt;Bad&gt; Gateway" in page
    assert "2 attempts" in page


def test_a_lost_attempt_is_seen_as_lost(run: Run, version: WorkflowVersion, tell: Tell) -> None:
    tell(0, "running", "pay", 1)
    tell(4, "lost", "pay", 1, {"worker": "w"})
    tell(5, "running", "pay", 2)
    tell(10, "succeeded", "pay", 2)
    end = _over(run, version, "pay", "succeeded", 2)
    (line,) = [one for one in showing.timeline(run, end).lines if one.node.name == "pay"]
    assert [piece.look for piece in line.pieces] == ["upstream_failed", "ready", "succeeded"]


def test_nodes_in_the_order_in_which_they_began_a_page_at_a_time(
    client_of: Callable[[str], Client],
    run: Run,
    version: WorkflowVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(showing, "NODES", 2)
    for second, name in enumerate(("ship", "pay", "lines", "fetch")):
        NodeRun.objects.filter(run=run, scope=0, node=version.plan.by_name()[name].index).update(
            state="waiting", attempt=1, ready_at=run.created_at + timedelta(seconds=second)
        )
    client = client_of("viewer")
    first, second_page = _page(client, run), _page(client, run, "?from=2")
    assert first.index(">ship</a>") < first.index(">pay</a>")
    assert ">lines</a>" not in first
    assert "?from=2" in first
    assert second_page.index(">lines</a>") < second_page.index(">fetch</a>")
    assert "?from=" not in second_page


def test_nothing_yet(client_of: Callable[[str], Client], run: Run) -> None:
    NodeRun.objects.filter(run=run).update(state="pending", ready_at=None)
    assert "No node has become ready yet." in _page(client_of("viewer"), run)


def test_its_price_does_not_grow_with_its_lines(
    client_of: Callable[[str], Client], run: Run, version: WorkflowVersion
) -> None:
    client = client_of("viewer")
    _page(client, run)  # from now on the plan is in memory
    with CaptureQueriesContext(connection) as few:
        _page(client, run)
    NodeRun.objects.filter(run=run, state="pending").update(state="ready")
    with CaptureQueriesContext(connection) as more:
        _page(client, run)
    assert len(few) == len(more)
