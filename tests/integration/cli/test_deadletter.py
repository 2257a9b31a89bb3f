"""``manage.py deadletter``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.utils import timezone

from celesta.runs.models import DeadLetter, NodeRun, Run
from tests.integration.cli.conftest import Result

pytestmark = pytest.mark.django_db(transaction=True)

Manage = Callable[..., Result]


@pytest.fixture
def letters(manage: Manage, file: Path) -> list[DeadLetter]:
    """Two dead letters that are alike."""
    manage("workflow", "publish", str(file))
    found = []
    for number in (1, 2):
        pk = manage("run", "start", "orders.fulfil", "-p", f"order_id={number}", "--json").json[
            "id"
        ]
        now = timezone.now()
        NodeRun.objects.filter(run_id=pk).update(state="succeeded", finished_at=now)
        NodeRun.objects.filter(run_id=pk, node=1).update(state="failed")
        Run.objects.filter(pk=pk).update(state="failed", finished_at=now)
        run = Run.objects.get(pk=pk)
        found.append(
            DeadLetter.objects.create(
                run=run, workspace=run.workspace, workflow=run.workflow, node=1, name="ship",
                attempt=1, code="locked", message=f"order {number} is locked",
                fingerprint="a" * 16, at=now,
            )
        )  # fmt: skip
    return found


def test_they_are_listed(manage: Manage, letters: list[DeadLetter]) -> None:
    assert "order 2 is locked" in manage("deadletter", "list").text
    rows = manage("deadletter", "list", "--state", "open", "--alike", "a" * 16, "--json").json
    assert [row["id"] for row in rows] == [letters[1].pk, letters[0].pk]
    assert manage("deadletter", "list", "--code", "other", "--json").json == []


def test_by_filter_they_are_counted_first(manage: Manage, letters: list[DeadLetter]) -> None:
    nothing = manage("deadletter", "retry")
    assert (nothing.code, "Say which" in nothing.error) == (1, True)
    counted = manage("deadletter", "retry", "--code", "locked")
    assert counted.text == "2 would be retried; add --yes to do it\n"
    done = manage("deadletter", "retry", "--code", "locked", "--yes", "--json").json
    assert {row["run"] for row in done} == {
        str(pk) for pk in Run.objects.exclude(rerun_of=None).values_list("pk", flat=True)
    }
    assert not DeadLetter.objects.filter(state="open").exists()


def test_by_number_a_refusal_says_why(manage: Manage, letters: list[DeadLetter]) -> None:
    one = str(letters[0].pk)
    first = manage("deadletter", "discard", one, "--reason", "known")
    again = manage("deadletter", "retry", one)
    assert first.text == f"discard {one}: done\n"
    assert (again.code, "[dead_letter_decided]" in again.text) == (1, True)
    assert DeadLetter.objects.get(pk=one).reason == "known"
