"""``manage.py run``: what an operator does on the host."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import orjson
import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from celesta.console.management import watching
from celesta.runs import log_lines
from celesta.runs.log_lines import NewLine
from celesta.runs.models import Event, NodeRun, Output, Run
from tests.integration.cli.conftest import Result
from tests.processes import wait_for, worker_environment

Manage = Callable[..., Result]


@pytest.fixture
def start(manage: Manage, file: Path) -> Callable[..., Result]:
    """Start the published workflow."""
    manage("workflow", "publish", str(file))

    def call(*words: str) -> Result:
        return manage("run", "start", "orders.fulfil", *words)

    return call


def finish(run_id: UUID | str, state: str) -> None:
    """What the engine writes when a run and its nodes end."""
    now = datetime.now(UTC)
    old = {"at": now, "scope": 0, "attempt": 1}
    for node in (0, 1):
        Event.objects.create(run_id=run_id, kind="running", node=node, **old)
        Event.objects.create(run_id=run_id, kind=state, node=node, **old)
    NodeRun.objects.filter(run_id=run_id).update(state=state, finished_at=now)
    Event.objects.create(run_id=run_id, kind=f"run_{state}", at=now)
    error = {"code": "boom", "message": "it broke"} if state == "failed" else None
    Run.objects.filter(pk=run_id).update(state=state, finished_at=now, error=error, output=1)


def test_params_are_read_as_their_schema_wants(start: Manage) -> None:
    started = start("-p", "order_id=7", "-p", "zip=01234")

    run = Run.objects.get()
    assert started.text == f"started orders.fulfil version 1: {run.pk}\n"
    assert run.params == {"order_id": 7, "zip": "01234"}
    assert run.trigger == "cli"
    assert run.created_by.endswith("(command line)")


def test_params_come_as_json_and_single_ones_go_over_them(start: Manage) -> None:
    start("--params", '{"order_id": 1, "zip": "a"}', "-p", "order_id=2")

    assert Run.objects.get().params == {"order_id": 2, "zip": "a"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-p", "order_id=seven"], "params.order_id"),
        ([], "params.order_id"),
    ],
)
def test_params_that_do_not_fit_are_told_with_their_path(
    start: Manage, words: list[str], told: str
) -> None:
    result = start(*words)

    assert result.code == 1
    assert told in result.text
    assert "[invalid_params]" in result.error
    assert not Run.objects.exists()


@pytest.mark.parametrize("words", [["-p", "order_id"], ["--params", "{"], ["--params", "[1]"]])
def test_params_that_cannot_be_read(start: Manage, words: list[str]) -> None:
    assert start(*words).code == 1
    assert not Run.objects.exists()


def test_a_key_starts_one_run(start: Manage) -> None:
    start("-p", "order_id=7", "--key", "k")
    again = start("-p", "order_id=7", "--key", "k")

    assert again.text.startswith("was started before: orders.fulfil version 1: ")
    assert Run.objects.count() == 1


def test_runs_are_listed_and_shown(manage: Manage, start: Manage) -> None:
    start("-p", "order_id=1")
    run = Run.objects.get()
    Output.objects.create(run=run, scope=0, node=0, value=1)

    listed = manage("run", "list", "--state", "pending", "--workflow", "orders.fulfil")
    shown = manage("run", "show", str(run.pk)[:13])

    assert str(run.pk) in listed.text
    assert manage("run", "list", "--state", "failed", "--json").json == []
    assert [line.split()[0] for line in shown.text.splitlines() if " transform " in line] == [
        "fetch",
        "ship",
    ]
    assert manage("run", "show", str(run.pk), "--json").json["nodes"][0]["output"] == 1


def test_an_id_must_be_one_and_unique(manage: Manage, start: Manage) -> None:
    start("-p", "order_id=1")
    start("-p", "order_id=2")

    assert "Several runs" in manage("run", "show", str(Run.objects.first())[:4]).error
    assert "no id" in manage("run", "show", "xyz").error
    assert "run list" in manage("run", "show", "ffff").error


def test_watching_a_run_that_succeeded(manage: Manage, start: Manage) -> None:
    start("-p", "order_id=1")
    run = Run.objects.get()
    finish(run.pk, "succeeded")

    result = manage("run", "watch", str(run.pk))

    assert result.code == 0
    assert "succeeded        fetch" in result.text
    assert "succeeded        ship" in result.text
    assert "3 succeeded" in result.text
    last = result.text.splitlines()[-2:]
    assert last[0].startswith(f"orders.fulfil {run.pk}: succeeded after ")
    assert last[1] == "output: 1"


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_watching_one_that_did_not_succeed_ends_with_1(
    manage: Manage, start: Manage, state: str
) -> None:
    start("-p", "order_id=1")
    run = Run.objects.get()
    finish(run.pk, state)

    result = manage("run", "watch", str(run.pk))

    assert result.code == 1
    assert state in result.error


@pytest.mark.django_db(transaction=True)
def test_watching_follows_until_the_end(
    manage: Manage, start: Manage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a run that ends while it is watched
    monkeypatch.setattr(watching, "PAUSE", 0.05)
    start("-p", "order_id=1")
    run = Run.objects.get(workflow__name="orders.fulfil")

    def end() -> None:
        finish(run.pk, "failed")
        connection.close()

    ending = threading.Timer(0.3, end)
    ending.start()

    # When it is watched in JSON
    result = manage("run", "watch", str(run.pk), "--json")
    ending.join()

    # Then the command ends with the run, and every event was told once
    lines = [orjson.loads(line) for line in result.text.splitlines()]
    assert result.code == 1
    assert [line["id"] for line in lines[:-1]] == sorted({line["id"] for line in lines[:-1]})
    assert len(lines) - 1 == Event.objects.filter(run=run).count()
    assert lines[-1]["state"] == "failed"
    assert lines[-1]["error"]["message"] == "it broke"


@pytest.mark.django_db(transaction=True)
def test_ctrl_c_leaves_the_run_going(start: Manage, tmp_path: Path) -> None:
    # Given a process that watches a run
    start("-p", "order_id=1")
    run = Run.objects.get(workflow__name="orders.fulfil")
    out = tmp_path / "out"
    environment = {**os.environ, **worker_environment(), "PYTHONUNBUFFERED": "1"}
    with out.open("wb") as printed:
        watcher = subprocess.Popen(
            [sys.executable, "manage.py", "run", "watch", str(run.pk)],
            stdout=printed, stderr=printed, env=environment,
        )  # fmt: skip
    try:
        wait_for(lambda: "pending" in out.read_text(), told=out.read_text)

        # When Ctrl-C is pressed
        watcher.send_signal(signal.SIGINT)

        # Then it ends by itself with a word on how to go on, and the run is as it was
        assert watcher.wait(timeout=20) == 0
    finally:
        watcher.kill()
        watcher.wait()
    assert f"the run goes on; to follow it again: manage.py run watch {run.pk}" in out.read_text()
    run.refresh_from_db()
    assert run.state == "pending"


@pytest.mark.django_db(transaction=True)
def test_a_run_is_cancelled(manage: Manage, start: Manage) -> None:
    start("-p", "order_id=1")
    run = Run.objects.get(workflow__name="orders.fulfil")

    result = manage("run", "cancel", str(run.pk), "--reason", "not wanted")

    assert result.text == f"orders.fulfil {run.pk}: cancelled\n"
    run.refresh_from_db()
    assert run.error == {"code": "cancelled", "message": "not wanted"}
    finished = manage("run", "start", "orders.fulfil", "-p", "order_id=2", "--json").json["id"]
    finish(finished, "failed")
    refused = manage("run", "cancel", finished)
    assert (refused.code, "[run_already_finished]" in refused.error) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_a_run_is_paused_and_resumed(manage: Manage, start: Manage) -> None:
    start("-p", "order_id=1")
    run = Run.objects.get(workflow__name="orders.fulfil")

    paused = manage("run", "pause", str(run.pk), "--reason", "look first")
    resumed = manage("run", "resume", str(run.pk), "--json")

    assert paused.text == f"orders.fulfil {run.pk}: paused\n"
    assert resumed.json["state"] == "pending"
    finish(str(run.pk), "failed")
    refused = manage("run", "pause", str(run.pk))
    assert (refused.code, "[run_already_finished]" in refused.error) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_a_node_is_skipped(manage: Manage, start: Manage) -> None:
    start("-p", "order_id=1")
    run = Run.objects.get(workflow__name="orders.fulfil")

    refused = manage("run", "skip", str(run.pk), "ship")
    skipped = manage("run", "skip", str(run.pk), "fetch", "--reason", "not today")

    assert (refused.code, "[node_not_skippable]" in refused.error) == (1, True)
    assert skipped.text == f"orders.fulfil {run.pk}: succeeded\n"
    assert manage("run", "skip", str(run.pk), "nowhere").code == 1


def test_a_run_is_run_again(manage: Manage, start: Manage) -> None:
    start("-p", "order_id=1")
    run = Run.objects.get(workflow__name="orders.fulfil")
    early = manage("run", "rerun", str(run.pk))
    assert (early.code, "[run_not_finished]" in early.error) == (1, True)
    finish(str(run.pk), "failed")
    NodeRun.objects.filter(run_id=run.pk).update(state="succeeded")

    seen = manage("run", "rerun", str(run.pk), "--from", "ship", "--preview")
    assert (seen.code, Run.objects.filter(rerun_of=run.pk).count()) == (0, 0)
    assert "runs again: ship" in seen.text
    made = manage("run", "rerun", str(run.pk), "--from", "ship", "-p", "order_id=2", "--json").json
    wrong = manage("run", "rerun", str(run.pk), "--from", "sh1p")

    again = Run.objects.get(pk=made["id"])
    assert (again.rerun_of, again.params["order_id"]) == (run.pk, 2)
    states = (
        NodeRun.objects.filter(run_id=again.pk).order_by("node").values_list("state", flat=True)
    )
    assert list(states)[:2] == ["succeeded", "ready"]
    assert (wrong.code, "[invalid_rerun]" in wrong.error) == (1, True)


def test_without_a_database_the_command_says_so(manage: Manage) -> None:
    with patch.object(BaseDatabaseWrapper, "cursor", side_effect=OperationalError("away")):
        result = manage("run", "list")

    assert result.code == 1
    assert "PostgreSQL cannot be reached" in result.error


def test_counts_are_told_when_they_change(manage: Manage, start: Manage) -> None:
    began = time.monotonic()
    start("-p", "order_id=1")
    run = Run.objects.get()
    finish(run.pk, "succeeded")

    text = manage("run", "watch", str(run.pk)).text

    assert sum("nodes:" in line for line in text.splitlines()) == 1
    assert time.monotonic() - began < 20


def test_what_nodes_say_does_not_steer_the_terminal(start: Manage, manage: Manage) -> None:
    start("-p", "order_id=7")
    run = Run.objects.get()
    said = "\x1b[2J\x1b]0;owned\x07 and \u202ebackwards\tbut\nthis may be"
    log_lines.store([NewLine(str(run.pk), 0, 0, 1, 1, datetime.now(UTC), 20, "shop", said)])
    told = manage("run", "logs", str(run.pk)).text
    assert r"shop: \x1b[2J\x1b]0;owned\x07 and \u202ebackwards" in told
    assert "\tbut\nthis may be" in told
    Run.objects.filter(pk=run.pk).update(error={"code": "boom", "message": "\x1b[31m"})
    assert "\x1b" not in manage("run", "show", str(run.pk)).text
