"""R6: what failed a run is kept until somebody decides on it."""

from __future__ import annotations

import random
from threading import Thread

import django.db
import pytest
from django.db import transaction

from celesta.access.principals import SYSTEM
from celesta.engine import bulk, canvas, dead_letters
from celesta.engine.rerun import Mode, rerun_run
from celesta.graph.plan import Plan
from celesta.runs.calls import Sent
from celesta.runs.connection import one, rows
from celesta.runs.errors import DeadLetterDecided, EngineError, RunAlreadyFinished
from celesta.runs.models import DeadLetter, Run
from celesta.workflows.models import Workflow
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import begin, drive
from tests.integration.engine.test_rerun import CHAIN, ended
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

TWO = plan_of({"a": [], "b": [], "c": ["a"]}, name="letters.two")


@pytest.fixture(autouse=True)
def released(monkeypatch: pytest.MonkeyPatch) -> list[Sent]:
    """What would have gone to the broker."""
    found: list[Sent] = []

    def publish(_: Plan, sent: tuple[Sent, ...]) -> bool:
        found.extend(sent)
        return True

    monkeypatch.setattr(canvas, "publish", publish)
    return found


def test_a_failure_that_failed_the_run_is_kept() -> None:
    run = ended(CHAIN, {"b": "failed"})
    letter = DeadLetter.objects.get(run_id=run.pk)
    assert (letter.name, letter.code, letter.message, letter.state) == ("b", "x", "told to", "open")
    assert (letter.workflow_id, letter.workspace_id) == (run.workflow_id, run.workspace_id)
    assert (letter.attempt, letter.at) == (1, run.finished_at)


def test_neither_handled_failures_nor_runs_that_end_well_leave_any() -> None:
    plan = plan_of({"a": [], "b": ["a"]}, rules={"b": "all_done"})
    assert ended(plan, {"a": "failed"}).state == "succeeded"
    assert ended(CHAIN, {}).state == "succeeded"
    assert not DeadLetter.objects.filter(state="open", name="a").exists()


def test_a_retry_runs_again_from_there_and_is_linked(released: list[Sent]) -> None:
    # Given a run that two failures have failed
    run = ended(TWO, {"b": "failed", "c": "failed"})
    first, second = DeadLetter.objects.filter(run_id=run.pk).order_by("node")
    # When one of them is retried
    released.clear()
    made = dead_letters.retry(first, principal=SYSTEM).run
    # Then both are: all that failed runs again
    for letter in (first, second):
        letter.refresh_from_db()
        assert (letter.state, letter.retried_as) == ("retried", made.pk)
        assert letter.decided_by == SYSTEM.name
        with pytest.raises(DeadLetterDecided, match=f"as run {made.pk}"):
            dead_letters.retry(letter, principal=SYSTEM)
    drive(made.pk, released, lambda *_: "succeeded", random.Random(1))
    assert Run.objects.get(pk=made.pk).state == "succeeded"
    # and when it fails again, there is a new letter.
    run = ended(TWO, {"b": "failed"})
    released.clear()
    made = dead_letters.retry(DeadLetter.objects.get(run_id=run.pk), principal=SYSTEM).run
    drive(
        made.pk, released, lambda _, node: "failed" if node == 1 else "succeeded", random.Random(2)
    )
    assert DeadLetter.objects.get(run_id=made.pk).state == "open"


def test_any_rerun_takes_the_letters_of_its_run_with_it() -> None:
    run = ended(CHAIN, {"b": "failed"})
    made = rerun_run(run, principal=SYSTEM, mode=Mode.ALL).run
    assert DeadLetter.objects.get(run_id=run.pk).retried_as == made.pk


def test_two_letters_of_a_run_retried_at_once_are_one_rerun() -> None:
    # Given two people who retry a letter each, of one run, and who both have theirs in hand
    run = ended(TWO, {"b": "failed", "c": "failed"})
    answers: list[object] = []

    def retry(letter: DeadLetter) -> None:
        try:
            answers.append(dead_letters.retry(letter, principal=SYSTEM).run.pk)
        except EngineError as error:
            answers.append(error.code)
        finally:
            django.db.connection.close()

    people = [Thread(target=retry, args=[x]) for x in DeadLetter.objects.filter(run_id=run.pk)]
    with transaction.atomic():
        # (no run of this workflow can be written for the moment)
        Workflow.objects.select_for_update().get(pk=run.workflow_id)
        for person in people:
            person.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        wait_for(lambda: one(f"{waiting} AND wait_event_type = 'Lock'", ())[0] == 2, 20)
    for person in people:
        person.join(20)
    # then one of them has made a run, and the other one is told of it.
    (made,) = Run.objects.filter(rerun_of=run.pk).values_list("pk", flat=True)
    assert sorted(map(str, answers)) == sorted([str(made), DeadLetterDecided.code])


def test_a_discarded_letter_is_decided() -> None:
    run = ended(CHAIN, {"b": "failed"})
    letter = DeadLetter.objects.get(run_id=run.pk)
    dead_letters.discard(letter, by="ann", reason="known")
    letter.refresh_from_db()
    assert (letter.state, letter.decided_by, letter.reason) == ("discarded", "ann", "known")
    with pytest.raises(DeadLetterDecided, match="ann has discarded it already"):
        dead_letters.discard(letter, by="bob")
    with pytest.raises(DeadLetterDecided):
        dead_letters.retry(letter, principal=SYSTEM)


@pytest.mark.parametrize(
    ("text", "other", "alike"),
    [
        ("order 17 is locked", "order 4711 is locked", True),
        ("no row 'ann'", "no row 'bob o'neill'"[:12] + "'", True),
        ("user a1b2c3 at 10.0.0.1:5432", "user ff00aa9 at 10.20.0.1:99", True),
        (
            "id 01a1fd7f-f1bd-746e-ab74-c511fb4cbbff",
            "id 02b1fd7f-aaaa-746e-ab74-000000000000",
            True,
        ),
        ("took 1.5 s", "took 22 s", True),
        ("order is locked", "order is gone", False),
    ],
)
def test_alike_is_what_differs_in_numbers_ids_and_quotes(
    text: str, other: str, alike: bool
) -> None:
    def fingerprint(message: str, code: str = "x") -> str:
        (found,) = one(
            "SELECT celesta_fingerprint_v1(jsonb_build_object("
            "'code', %s::text, 'message', %s::text))",
            (code, message),
        )
        assert len(found) == 16
        return str(found)

    assert (fingerprint(text) == fingerprint(other)) is alike
    assert fingerprint(text) != fingerprint(text, code="y")


def test_a_bulk_verb_is_done_a_piece_at_a_time() -> None:
    # Given five rows, one of which refuses
    version = publish_plan(CHAIN)
    runs = [begin(version)[0] for _ in range(5)]
    mine = Run.objects.filter(pk__in=runs)
    assert bulk.count(mine) == (5, False)

    def act(run: Run) -> object:
        if run.pk == runs[2]:
            raise RunAlreadyFinished
        begin(version)  # what comes meanwhile is not done as well
        return run.pk

    # When the verb is called until there is no cursor
    done: list[bulk.Outcome] = []
    cursor, calls = None, 0
    while calls == 0 or cursor is not None:
        found = bulk.apply(mine, act, after=cursor, limit=2)
        done, cursor, calls = done + found.outcomes, found.cursor, calls + 1
    # Then each was done once, newest first, and the refusal says why
    assert (calls, [one.id for one in done]) == (3, sorted(runs, reverse=True))
    assert [one.code for one in done] == [None, None, "run_already_finished", None, None]


def test_a_bulk_verb_ends_with_its_time() -> None:
    version = publish_plan(CHAIN)
    runs = Run.objects.filter(pk__in=[begin(version)[0] for _ in range(3)])
    found = bulk.apply(runs, lambda run: None, budget=0.0)
    assert (len(found.outcomes), found.cursor is not None) == (1, True)


def test_lists_of_letters_have_their_indexes() -> None:
    found = rows("SELECT indexname FROM pg_indexes WHERE tablename = 'celesta_dead_letter'")
    assert {"celesta_dead_state", "celesta_dead_alike"} <= {row[0] for row in found}
