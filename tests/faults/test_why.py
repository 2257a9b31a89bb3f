"""Why a node does not run, who leads, and what waits, as real workers bring it about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from celesta.engine.pausing import pause_run
from celesta.runs.cluster import Queue, cluster
from celesta.runs.models import LogLine, Run
from tests.faults.conftest import Stage
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def get(transactional_db: None) -> Callable[[str], Any]:
    """An answer of the API to a superuser."""
    users: Any = get_user_model().objects
    root, _ = users.get_or_create(username="root-of-why", is_superuser=True, is_staff=True)
    client = Client()
    client.force_login(root)

    def answer(path: str) -> Any:
        response = client.get(f"/api/v1/{path}")
        assert response.status_code == 200, response.content
        return response.json()

    return answer


def codes(get: Callable[[str], Any], run: Run, node: str) -> list[str]:
    return [cause["code"] for cause in get(f"runs/{run.pk}/nodes/{node}/why/")["causes"]]


def test_what_waits_for_workers_nodes_and_timers_says_so(
    stage: Stage, get: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = tmp_path / "go on"
    run = stage.start({
        "a": stage.node("test.gate", args={"path": str(gate)}),
        "b": stage.node("test.ok", "a"),
    })  # fmt: skip
    assert codes(get, run, "a") == ["no_worker"]
    assert codes(get, run, "b") == ["upstream"]

    stage.worker()
    wait_for(lambda: codes(get, run, "a") == ["running"])
    other = stage.start({"a": stage.node("test.ok")})
    wait_for(lambda: codes(get, other, "a") == ["slots_busy"])
    told = get(f"runs/{other.pk}/nodes/a/why/")["causes"][0]
    assert told["details"]["slots"][0]["task"] == f"{run.workflow.name} a"
    pause_run(other.pk, by="test", reason="")
    assert codes(get, other, "a") == ["run_paused", "slots_busy"]

    call_command("run", "why", str(run.pk), "b")
    assert "It waits for a (running). [upstream]" in capsys.readouterr().out
    call_command("run", "why", str(other.pk), "--json")
    first = capsys.readouterr().out.splitlines()[0]  # one line a node
    assert orjson.loads(first)["causes"][0]["code"] == "run_paused"
    gate.touch()
    stage.ends(run)
    assert codes(get, run, "b") == ["over"]

    timed = stage.start({
        "pause": {"type": "wait", "queue": stage.queue, "with": {"for": "1h"}},
        "again": stage.node("test.fail", retry={"attempts": 2, "backoff": "1h", "jitter": False}),
        "far": {"type": "celery", "queue": stage.queue,
                "with": {"task": "nobody.knows", "timeout": "1h"}},
    })  # fmt: skip
    for node, code in [("pause", "timer"), ("again", "retry"), ("far", "foreign_task")]:
        wait_for(
            lambda: codes(get, timed, node) == [code],  # noqa: B023 - called at once
            30,
            lambda: f"{node}: {get(f'runs/{timed.pk}/nodes/{node}/why/')}",  # noqa: B023
        )
        assert get(f"runs/{timed.pk}/nodes/{node}/why/")["causes"][0]["until"] is not None


def test_items_beyond_the_limit_of_their_map_say_so(
    stage: Stage, get: Callable[[str], Any], tmp_path: Path
) -> None:
    gate = tmp_path / "go on"
    stage.worker(concurrency=2)
    body = {"type": "python", "with": {"function": "test.gate", "args": {"path": str(gate)}}}
    run = stage.start({
        "each": {"type": "map", "queue": stage.queue,
                 "with": {"over": [1, 2, 3], "max_parallel": 1, "do": body}},
    })  # fmt: skip
    wait_for(lambda: codes(get, run, "each") == ["items"])

    def of_items() -> list[str]:
        found = []
        for row in get(f"runs/{run.pk}/nodes/?state=ready,running")["results"]:
            path = f"runs/{run.pk}/nodes/{row['name']}/why/?scope={row['scope']}"
            found.append(get(path)["causes"][0]["code"])
        return sorted(found)

    wait_for(lambda: of_items() == ["max_parallel", "max_parallel", "running"])
    gate.touch()
    stage.ends(run)


def test_the_cluster_shows_leader_workers_and_what_waits(
    stage: Stage, get: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate = tmp_path / "go on"
    run = stage.start({"a": stage.node("test.gate", args={"path": str(gate)})})

    def queue() -> Queue:
        return next(one for one in cluster().queues if one.name == stage.queue)

    assert (queue().waiting, queue().slots) == (1, 0)
    worker = stage.worker(concurrency=2)
    wait_for(lambda: (queue().busy, queue().idle, queue().waiting) == (1, 1, 0))
    wait_for(lambda: cluster().leader.is_leading)
    told = get("cluster/")
    assert told["leader"]["holder"].endswith(f":{worker.pid}")
    assert next(w for w in told["workers"] if stage.queue in w["queues"])["slots"] == 2
    call_command("cluster")
    out = capsys.readouterr().out
    assert told["leader"]["holder"] in out
    assert stage.queue in out
    call_command("cluster", "--json")
    assert orjson.loads(capsys.readouterr().out)["leader"]["term"] == told["leader"]["term"]

    worker.kill_all()  # its leases end; nobody is there to clear up
    wait_for(lambda: queue().lost == 2)
    wait_for(lambda: not cluster().leader.is_leading)
    assert codes(get, run, "a") == ["worker_silent"]
    second = stage.worker()
    gate.touch()
    stage.ends(run)
    wait_for(lambda: get("cluster/")["leader"]["holder"].endswith(f":{second.pid}"))
    assert get("cluster/")["leader"]["term"] > told["leader"]["term"]


def test_log_lines_are_read_by_node_level_and_cursor(
    stage: Stage, get: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    stage.worker()
    run = stage.ends(stage.start({"a": stage.node("test.speak"), "b": stage.node("test.speak")}))
    wait_for(lambda: LogLine.objects.filter(run_id=run.pk).count() == 14)

    assert len(get(f"runs/{run.pk}/logs/")["results"]) == 14
    of_a = get(f"runs/{run.pk}/nodes/a/logs/")["results"]
    assert [line["node"] for line in of_a] == ["a"] * 7
    loud = get(f"runs/{run.pk}/nodes/a/logs/?level=warning")["results"]
    assert [line["level"] for line in loud] == ["WARNING", "ERROR"]
    assert get(f"runs/{run.pk}/nodes/a/logs/?attempt=2")["results"] == []
    after, seen = 0, []
    while page := get(f"runs/{run.pk}/logs/?limit=3&after={after}")["results"]:
        seen += [line["id"] for line in page]
        after = seen[-1]
    assert seen == [line["id"] for line in get(f"runs/{run.pk}/logs/")["results"]]

    call_command("run", "logs", str(run.pk), "--node", "a", "--follow")
    out = capsys.readouterr().out
    assert "a  shop.orders: logged a" in out
    assert "logged b" not in out
