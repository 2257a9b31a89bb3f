"""X9 under faults: a paused run stands still whatever happens to its workers, and goes on."""

from __future__ import annotations

import pytest

from celesta.engine.pausing import pause_run, resume_run
from celesta.runs.models import NodeRun, Run, Slot
from tests.faults.conftest import Stage
from tests.faults.test_maps import most_at_once, spans
from tests.processes import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

LIMIT, ITEMS = 2, 40


def test_a_run_paused_in_the_middle_survives_the_loss_of_its_workers(stage: Stage) -> None:
    # Given a lane of nodes and a map with a limit at work, and a deadline,
    worker = stage.worker(concurrency=3)
    args = {"seconds": 0.05, "log": str(stage.log)}
    body = {"type": "python", "with": {"function": "test.span", "args": args}}
    each = {"over": list(range(ITEMS)), "max_parallel": LIMIT, "do": body}
    names = [f"w{i}" for i in range(30)]
    lane = {
        name: {
            "type": "python",
            "queue": stage.queue,
            "with": {"function": "test.sleep", "args": {"seconds": 0.05}},
        }
        for name in names
    }
    nodes = {"each": {"type": "map", "queue": stage.queue, "with": each}, **lane}
    end = {"type": "transform", "needs": ["each", *names], "with": {"output": 1}}
    run = stage.start({**nodes, "after": {**end, "queue": stage.queue}}, timeout="5m")
    wait_for(lambda: stage.log.exists() and " end " in stage.log.read_text())
    # when it is paused, what runs ends and nothing else begins:
    assert pause_run(run.pk, by="test").state == "paused"
    wait_for(lambda: not Slot.objects.filter(run_id=run.pk).exists())
    began = ended(run)
    assert 0 < began < ITEMS + len(names)
    # even when its worker is killed and another comes;
    worker.kill_all()
    stage.worker(concurrency=3)
    # which leads, and works on what else there is,
    nap = {"type": "wait", "queue": stage.queue, "with": {"for": "1s"}}
    stage.ends(stage.start({"nap": nap, "after": {**end, "needs": ["nap"], "queue": stage.queue}}))
    assert ended(run) == began
    assert not NodeRun.objects.filter(run_id=run.pk, state="running").exists()
    # and when it is resumed, it ends as if nothing had happened.
    resume_run(run.pk, by="test")
    run = stage.ends(run)
    assert run.state == "succeeded"
    assert set(stage.states(run).values()) == {"succeeded"}
    assert ended(run) == ITEMS + len(names) + 3
    assert most_at_once(spans(stage.log, {})) <= LIMIT


def test_a_worker_killed_while_its_last_nodes_end_in_a_paused_run(stage: Stage) -> None:
    # Given a node in mid body in a run that is paused
    worker = stage.worker(concurrency=1)
    gate = stage.directory / "open"
    run = stage.start(
        {"a": stage.node("test.gate", args={"path": str(gate)}), "b": stage.node("test.ok", "a")}
    )
    stage.began()
    pause_run(run.pk, by="test")
    # when its worker is killed, the node is taken back, and does not begin again before the run
    # goes on.
    worker.kill_all()
    stage.worker(concurrency=1)
    wait_for(lambda: NodeRun.objects.filter(run_id=run.pk, state="ready").exists())
    assert sum(stage.bodies().values()) == 1
    gate.touch()
    resume_run(run.pk, by="test")
    run = stage.ends(run)
    assert run.state == "succeeded"
    assert NodeRun.objects.get(run_id=run.pk, node=0).losses == 1


def ended(run: Run) -> int:
    """How many node runs have ended."""
    return NodeRun.objects.filter(run_id=run.pk, state="succeeded").count()
