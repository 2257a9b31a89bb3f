"""Dead letters and verbs for many runs in the console."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from celesta.access.principals import SYSTEM
from celesta.engine.start import start_run
from celesta.runs.models import DeadLetter, NodeRun, Run
from celesta.workflows.models import WorkflowVersion

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def letters(version: WorkflowVersion) -> list[DeadLetter]:
    """Three dead letters; the last one is not like the others."""
    return [letter(version, text) for text in ("locked", "locked", "gone")]


def letter(version: WorkflowVersion, code: str) -> DeadLetter:
    run = start_run(version, {"order_id": 7}, principal=SYSTEM).run
    now = timezone.now()
    NodeRun.objects.filter(run_id=run.pk).update(state="succeeded", finished_at=now)
    NodeRun.objects.filter(run_id=run.pk, node=1).update(state="failed")
    Run.objects.filter(pk=run.pk).update(state="failed", finished_at=now)
    return DeadLetter.objects.create(
        run=run, workspace=run.workspace, workflow=run.workflow, node=1, name="lines", attempt=3,
        code=code, message=f"{code}!", fingerprint=code.ljust(16, "x"), at=now,
    )  # fmt: skip


def hidden_in(page: Any) -> dict[str, str]:
    """What the form of the page sends along."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.content.decode())
    return {name: value for name, value in fields if name != "csrfmiddlewaretoken"}


def at(name: str, *more: object) -> str:
    return reverse(f"celesta_console:{name}", args=list(more))


def test_those_that_are_open_are_shown_and_narrowed(
    client_of: Callable[[str], Client], letters: list[DeadLetter]
) -> None:
    operator = client_of("operator")
    shown = operator.get(at("dead-letters")).content.decode()
    assert shown.count('name="chosen"') == 3
    assert "Retry all that are open" in shown
    shown = operator.get(at("dead-letters") + "?state=open&code=locked").content.decode()
    assert shown.count('name="chosen"') == 2
    assert "Retry all like these" in shown
    empty = operator.get(at("dead-letters") + "?state=retried").content.decode()
    assert "No dead letter is retried." in empty
    assert 'name="chosen"' not in client_of("viewer").get(at("dead-letters")).content.decode()


def test_chosen_ones_are_counted_and_retried(
    client_of: Callable[[str], Client], letters: list[DeadLetter]
) -> None:
    operator = client_of("operator")
    where = at("letters-bulk", "retry") + f"?chosen={letters[0].pk}&chosen={letters[2].pk}"
    assert "Retry 2 dead letters?" in operator.get(where).content.decode()
    shown = operator.post(where, follow=True).content.decode()
    assert "2 dead letters retried, 0 refused." in shown
    states = list(DeadLetter.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["retried", "open", "retried"]
    assert Run.objects.exclude(rerun_of=None).count() == 2


def test_without_a_tick_none_is_meant(
    client_of: Callable[[str], Client], letters: list[DeadLetter]
) -> None:
    operator = client_of("operator")
    for where in (at("letters-bulk", "retry"), at("runs-bulk", "rerun")):
        shown = operator.get(f"{where}?of=chosen").content.decode()
        assert "Nothing was chosen" in shown
        operator.post(f"{where}?of=chosen")
    assert not DeadLetter.objects.exclude(state="open").exists()
    assert not Run.objects.exclude(rerun_of=None).exists()


def test_chosen_runs_are_counted_and_run_again(
    client_of: Callable[[str], Client], letters: list[DeadLetter]
) -> None:
    operator = client_of("operator")
    listed = operator.get(at("runs") + "?state=failed").content.decode()
    assert listed.count('name="chosen"') == 3
    assert 'name="chosen"' not in client_of("viewer").get(at("runs")).content.decode()
    chosen = f"?state=failed&of=chosen&chosen={letters[1].run_id}"
    question = operator.get(at("runs-bulk", "rerun") + chosen).content.decode()
    assert "Rerun what failed in 1 run?" in question
    operator.post(at("runs-bulk", "rerun") + chosen)
    assert [run.rerun_of for run in Run.objects.exclude(rerun_of=None)] == [letters[1].run_id]


def test_all_that_match_are_discarded_with_a_reason(
    client_of: Callable[[str], Client], letters: list[DeadLetter]
) -> None:
    operator = client_of("operator")
    where = at("letters-bulk", "discard") + "?state=open&code=locked"
    assert "Discard 2 dead letters?" in operator.get(where).content.decode()
    operator.post(where, {"reason": "known"})
    assert DeadLetter.objects.filter(state="discarded", reason="known").count() == 2
    shown = operator.get(at("dead-letters") + "?state=discarded").content.decode()
    assert "operator" in shown
    assert "known" in shown
    assert "Nothing matches any more" in operator.get(where).content.decode()


def test_a_verb_for_the_runs_of_the_list(
    client_of: Callable[[str], Client], letters: list[DeadLetter], version: WorkflowVersion
) -> None:
    operator = client_of("operator")
    run = start_run(version, {"order_id": 8}, principal=SYSTEM).run
    # Given the list of failed runs, which offers the verbs with its own filter
    listed = operator.get(at("runs") + "?state=failed").content.decode()
    assert at("runs-bulk", "rerun") + "?state=failed" in listed
    # When one of them cannot be done to all, then each refusal says why
    where = at("runs-bulk", "pause") + f"?workflow={version.workflow_id}"
    assert "Pause 4 runs?" in operator.get(where).content.decode()
    shown = operator.post(where, {"reason": "look first"}).content.decode()
    assert "1 run paused, 3 refused." in shown
    assert shown.count("run_already_finished") == 3
    assert Run.objects.get(pk=run.pk).state == "paused"
    assert operator.post(at("runs-bulk", "rerun") + "?state=failed").status_code == 302
    assert Run.objects.exclude(rerun_of=None).count() == 3


def test_what_came_after_the_question_is_not_meant(
    client_of: Callable[[str], Client], letters: list[DeadLetter], version: WorkflowVersion
) -> None:
    operator = client_of("operator")
    first = start_run(version, {"order_id": 8}, principal=SYSTEM).run
    # Given somebody who is asked about what matches now,
    pause = at("runs-bulk", "pause") + "?state=pending"
    runs = operator.get(pause)
    assert "Pause 1 run?" in runs.content.decode()
    discard = at("letters-bulk", "discard") + "?state=open&code=locked"
    about = operator.get(discard)
    # when more like that comes before the answer,
    second = start_run(version, {"order_id": 9}, principal=SYSTEM).run
    letter(version, "locked")
    operator.post(pause, hidden_in(runs))
    operator.post(discard, hidden_in(about))
    # then only what was counted is done.
    states = Run.objects.in_bulk([first.pk, second.pk])
    assert [states[run.pk].state for run in (first, second)] == ["paused", "pending"]
    assert DeadLetter.objects.filter(state="discarded").count() == 2
    # And what can be no id is refused, as if nothing matched.
    assert operator.post(pause, {"upto": "x"}).status_code == 404
    assert operator.post(discard, {"upto": "x"}).status_code == 404


@pytest.mark.parametrize("query", ["state=filed", "trigger=apj", "since=1y", "sate=failed"])
def test_a_filter_that_is_not_understood_means_no_run(
    query: str, client_of: Callable[[str], Client], run: Run
) -> None:
    """Else a misspelt address would cancel everything."""
    operator = client_of("operator")
    where = at("runs-bulk", "cancel") + f"?{query}"
    assert "Nothing matches" in operator.get(where).content.decode()
    operator.post(where)
    assert Run.objects.get(pk=run.pk).state == "pending"


@pytest.mark.parametrize("name", ["runs-bulk", "letters-bulk"])
def test_nobody_else_may(
    client_of: Callable[[str], Client], letters: list[DeadLetter], name: str
) -> None:
    verb = "rerun" if name == "runs-bulk" else "retry"
    for who, status in (("viewer", 403), ("stranger", 200)):
        answer = client_of(who).post(at(name, verb))
        assert answer.status_code in (status, 302), who
    assert Run.objects.exclude(rerun_of=None).count() == 0
    assert client_of("operator").get(at(name, "explode")).status_code == 404


@pytest.mark.parametrize("text", ["²", "x", "9" * 5000, "9" * 30])
def test_ids_that_can_be_none(
    letters: list[DeadLetter], client_of: Callable[[str], Client], text: str
) -> None:
    client = client_of("operator")
    page = client.get(at("letters-bulk", "discard"), {"chosen": text})
    assert "0 dead letters" in page.content.decode()
    assert client.get(at("dead-letters"), {"older": text}).status_code == 200
    assert client.post(at("letters-bulk", "discard"), {"after": text}).status_code == 404
    assert DeadLetter.objects.filter(state="open").count() == len(letters)
