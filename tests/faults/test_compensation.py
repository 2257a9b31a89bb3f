"""R9: a crash at each step of the undoing; each node is undone once, the last first."""

from __future__ import annotations

import pytest

from celesta.runs.models import NodeRun
from tests.faults.conftest import Stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


def test_a_crash_at_each_step_undoes_each_node_once(stage: Stage) -> None:
    # Given a run whose third node fails, and compensations that lose their process once,
    stage.worker(concurrency=2)
    undo = {
        f"undo_{name}": {**stage.node("test.dies_first"), "compensates": name} for name in "abc"
    }
    for node in undo.values():
        del node["needs"]
    run = stage.start(
        {
            "a": stage.node("test.ok"),
            "b": stage.node("test.ok", "a"),
            "c": stage.node("test.fail", "b"),
            **undo,
        }
    )
    # when it ends,
    run = stage.ends(run, deadline=60)
    # then it has failed, and b and a, which had succeeded, are undone, each accepted once.
    assert run.state == "failed"
    assert run.error
    assert run.error["node"] == "c"
    assert "compensations_failed" not in run.error
    plan = run.version.plan.by_name()
    assert "undo_c" not in stage.states(run)
    done = [e.node for e in stage.events(run, "succeeded")]
    assert done[-2:] == [plan["undo_b"].index, plan["undo_a"].index]
    for name in ("undo_a", "undo_b"):
        row = NodeRun.objects.get(run_id=run.pk, scope=0, node=plan[name].index)
        assert (row.state, row.attempt, row.losses) == ("succeeded", 2, 1)
        assert stage.bodies()[f"{run.pk}:0:{plan[name].index}"] == 2
