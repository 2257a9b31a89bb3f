"""R6 and R7 with real workers: a retried dead letter completes, and what was kept runs once."""

from __future__ import annotations

import pytest

from celesta.access.principals import SYSTEM
from celesta.engine import dead_letters
from celesta.engine.rerun import rerun_run
from celesta.runs.models import DeadLetter, Run
from tests.faults.conftest import Stage
from tests.processes import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


def test_a_retried_dead_letter_completes(stage: Stage) -> None:
    # Given a run that failed because something was not there,
    stage.worker(concurrency=1)
    missing = stage.directory / "there"
    run = stage.start(
        {
            "a": stage.node("test.ok", args={"value": 5}),
            "b": stage.node("test.needs", "a", args={"path": str(missing)}),
            "c": stage.node("test.ok", "b"),
        }
    )
    run = stage.ends(run)
    assert run.state == "failed"
    letter = DeadLetter.objects.get(run_id=run.pk)
    assert (letter.name, letter.state) == ("b", "open")
    # when that is repaired and the dead letter is retried,
    missing.touch()
    again = stage.ends(dead_letters.retry(letter, principal=SYSTEM).run)
    # then the run completes, and what had succeeded before was not run again.
    assert again.state == "succeeded"
    assert stage.states(again) == {
        "a": "succeeded", "b": "succeeded", "c": "succeeded", "end": "succeeded",
    }  # fmt: skip
    ran = {key.split(":")[2] for key in stage.bodies() if key.startswith(str(again.pk))}
    assert ran == {"1", "2"}
    letter.refresh_from_db()
    assert (letter.state, letter.retried_as) == ("retried", again.pk)


def test_a_rerun_survives_the_loss_of_its_worker(stage: Stage) -> None:
    # Given a failed run that is run again
    worker = stage.worker(concurrency=1)
    missing, gate = stage.directory / "there", stage.directory / "open"
    run = stage.start(
        {
            "a": stage.node("test.ok"),
            "b": stage.node("test.needs", "a", args={"path": str(missing)}),
            "c": stage.node("test.gate", "b", args={"path": str(gate)}),
        }
    )
    run = stage.ends(run)
    missing.touch()
    again = rerun_run(run, principal=SYSTEM).run
    began = f"{again.pk}:0:2"
    wait_for(lambda: stage.bodies()[began] == 1)
    # when its worker is killed in mid body, another one goes on with it
    worker.kill_all()
    stage.worker(concurrency=1)
    gate.touch()
    assert stage.ends(again).state == "succeeded"
    assert stage.bodies()[f"{again.pk}:0:0"] == 0
    assert Run.objects.get(pk=again.pk).rerun_of == run.pk
