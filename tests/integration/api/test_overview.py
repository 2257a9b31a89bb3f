"""Figures over many runs, for programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from celesta.runs.models import NodeRun, Run
from tests.integration.api.conftest import Api, problem_of


def _start(api: Api) -> UUID:
    made = api.post("workflows/orders.fulfil/runs/", {"params": {"order_id": 1}})
    assert made.status_code == 201, made.content
    return UUID(made.json()["id"])


def test_how_a_workspace_is_doing(api: Api, published: Any) -> None:
    _start(api)
    failed = _start(api)
    Run.objects.filter(pk=failed).update(
        state="failed",
        finished_at=Run.objects.get(pk=failed).created_at,
        error={"code": "node_failed", "node": "fetch", "message": "no"},
    )
    told = api.get("overview/").json()
    assert told["open"]["pending"] == {"value": 1, "more": False}
    assert told["recent"]["counts"] == {"pending": 1, "failed": 1}
    assert sum(sum(b["counts"].values()) for b in told["recent"]["buckets"]) == 2
    assert told["recent"]["succeeded_share"] == 0
    assert [(f["workflow"], f["node"], f["runs"], f["last_run"]) for f in told["failures"]] == [
        ("orders.fulfil", "fetch", 1, str(failed))
    ]
    assert [queue["queue"] for queue in told["queues"]] == ["default"]


def test_runs_beside_each_other(api: Api, published: Any) -> None:
    runs = [_start(api), _start(api)]
    NodeRun.objects.filter(run=runs[0], scope=0, node=0).update(state="running")
    told = api.get("workflows/orders.fulfil/grid/").json()
    assert [run["id"] for run in told["runs"]] == [str(run) for run in runs]
    lines = {line["node"]: line["states"] for line in told["nodes"]}
    assert "running" in [states[0] for states in lines.values()]
    assert all(len(states) == 2 for states in lines.values())
    assert len(api.get("workflows/orders.fulfil/grid/?runs=1").json()["runs"]) == 1


def test_a_number_of_runs_that_is_none(api: Api, published: Any) -> None:
    for text in ("0", "101", "x", "-1", "000000100999", "9" * 5000):
        answer = api.get(f"workflows/orders.fulfil/grid/?runs={text}")
        assert problem_of(answer, 400, "invalid_query")
