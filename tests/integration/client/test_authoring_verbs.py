"""``celesta draft``, ``archive``, ``variable``, ``backfill``, and verbs for many rows."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from celesta.client import Celesta
from tests.integration.client.conftest import DOCUMENT, Done

# Only so that there is a test database: what the service does is committed for real.
pytestmark = pytest.mark.django_db

Call = Callable[..., Done]


@pytest.fixture
def name() -> str:
    """The service outlives a test: each has a workflow of its own."""
    return f"orders.n{uuid4().hex[:8]}"


def test_a_draft_is_kept_published_compared_and_undone(
    celesta: Call, client: Celesta, name: str, tmp_path: Path
) -> None:
    text = DOCUMENT.replace("orders.fulfil", name)
    made = celesta("draft", "save", name, "-", "--json", stdin=text.replace("[rest]", "[rst]"))
    assert made.code == 0, made.error
    broken = celesta("draft", "publish", name)
    assert (broken.code, "[unknown_need]" in broken.error) == (1, True)
    blind = celesta("draft", "save", name, "-", stdin=text)
    assert (blind.code, "[precondition_required]" in blind.error) == (1, True)

    tag = made.json["etag"]
    saved = celesta("draft", "save", name, "-", "--if-match", tag, stdin=text)
    assert saved.code == 0, saved.error
    late = celesta("draft", "save", name, "-", "--if-match", tag, stdin="late")
    assert (late.code, "[precondition_failed]" in late.error) == (1, True)
    file = tmp_path / "draft.yaml"
    assert celesta("draft", "show", name, "-o", str(file)).code == 0
    assert celesta("draft", "show", name).text == file.read_text() == text
    assert celesta("draft", "publish", name).text == f"{name} published as version 1\n"

    second = text.replace("Fulfil an order", "Fulfil it")
    assert celesta("draft", "save", name, "-", stdin=second).code == 0
    assert celesta("draft", "publish", name, "--note", "kinder").code == 0
    assert "+title: Fulfil it" in celesta("workflow", "diff", name, "2").text
    assert "version 3" in celesta("workflow", "restore", name, "1").text
    assert celesta("draft", "save", name, "-", stdin=second).code == 0
    assert celesta("draft", "discard", name).code == 0
    assert client.workflows.draft(name)["kept"] is False


def test_a_dry_run_of_a_workflow_and_of_a_document(
    celesta: Call, client: Celesta, name: str, tmp_path: Path
) -> None:
    text = DOCUMENT.replace("orders.fulfil", name)
    file = tmp_path / "orders.yaml"
    file.write_text(text)
    told = celesta("workflow", "dry-run", "--file", str(file), "-p", "order_id=5", "--json")
    assert told.code == 0, told.error
    assert told.json["waves"] == [["fetch"], ["rest"], ["ship"], ["end"]]

    client.workflows.publish(name, text)
    shown = celesta("workflow", "dry-run", name, "-p", "order_id=5")
    assert (shown.code, "ship" in shown.text) == (0, True)
    failing = celesta("workflow", "dry-run", name, "-p", "order_id=0")
    assert (failing.code, "fails" in failing.text) == (1, True)
    refused = celesta("workflow", "dry-run", name, "-p", "order_id=x")
    assert (refused.code, "[invalid_params]" in refused.error) == (1, True)
    assert celesta("workflow", "dry-run").code == 1
    assert not list(client.runs.list(workflow=name))


def test_a_template_is_found_shown_and_used(
    celesta: Call, client: Celesta, name: str, tmp_path: Path
) -> None:
    found = celesta("template", "search", "reminder", "invoice", "--json").lines
    assert [row["name"] for row in found] == ["dunning"]
    listed = celesta("template", "list", "--audience", "finance", "--json").lines
    assert {row["audience"] for row in listed} == {"finance"}
    assert len(client.templates.list()) > len(listed)
    file = tmp_path / "dunning.yaml"
    assert celesta("template", "show", "dunning", "-o", str(file)).code == 0
    assert file.read_text() in celesta("template", "show", "dunning").text
    assert "[template_unknown]" in celesta("template", "show", "none").error

    used = celesta("template", "use", "dunning", name)
    assert (used.code, name in used.text) == (0, True), used.error
    assert client.workflows.draft(name)["kept"] is True
    again = celesta("template", "use", "dunning", name)
    assert (again.code, "[workflow_exists]" in again.error) == (1, True)


def test_how_all_is_doing(celesta: Call, client: Celesta, name: str) -> None:
    client.workflows.publish(name, DOCUMENT.replace("orders.fulfil", name))
    failed = client.runs.start(name, {"order_id": 0})["id"]
    assert client.runs.wait(failed, 60)["state"] == "failed"

    shown = celesta("overview")
    assert (shown.code, name in shown.text.partition("failures")[2]) == (0, True), shown.error
    told = celesta("overview", "--json").json
    assert any(row["last_run"] == failed for row in told["failures"])
    workers = celesta("cluster", "--json").json["workers"]
    assert len(workers) == 1
    assert workers[0]["name"] in celesta("cluster").text
    assert celesta("me", "--json").json["workspace"] == "default"


def test_workflows_travel_in_an_archive(
    celesta: Call, client: Celesta, name: str, tmp_path: Path
) -> None:
    client.workflows.publish(name, DOCUMENT.replace("orders.fulfil", name))
    file = str(tmp_path / "workflows.zip")

    assert celesta("archive", "export", name, "-o", file).code == 0
    looked = celesta("archive", "import", file, "--preview", "--json")
    assert [(row["name"], row["status"]) for row in looked.lines] == [(name, "identical")]
    taken = celesta("archive", "import", file, "--json")
    assert (taken.code, taken.lines[0]["outcome"]) == (0, "unchanged")
    (tmp_path / "no.zip").write_text("no zip")
    refused = celesta("archive", "import", str(tmp_path / "no.zip"))
    assert (refused.code, "[invalid_archive]" in refused.error) == (1, True)


def test_variables(celesta: Call, client: Celesta, name: str) -> None:
    variable = name.replace(".", "_")
    assert celesta("variable", "set", variable, "[1, 2]", "--description", "why").code == 0
    assert celesta("variable", "set", variable, "30").code == 0
    kept = celesta("variable", "get", variable, "--json").json
    assert (kept["value"], kept["description"]) == (30, "why")
    assert celesta("variable", "set", variable, "1e", "--text").code == 0
    assert variable in celesta("variable", "list").text
    assert client.variables.get(variable)["value"] == "1e"
    assert celesta("variable", "set", variable, "{").code == 1
    stale = celesta("variable", "set", variable, "5", "--if-match", kept["etag"])
    assert (stale.code, "[precondition_failed]" in stale.error) == (1, True)
    fresh = client.variables.get(variable)["etag"]
    assert celesta("variable", "set", variable, "5", "--if-match", fresh).code == 0
    assert celesta("variable", "delete", variable).code == 0
    assert celesta("variable", "get", variable).code == 1


def test_a_backfill_from_its_preview_to_its_end(celesta: Call, client: Celesta, name: str) -> None:
    client.workflows.publish(name, DOCUMENT.replace("orders.fulfil", name))
    # One run at a time, which stays open: the backfill cannot come to its end by itself.
    params = {"order_id": 1, "pause": "1h"}
    made = client.schedules.create(name, name, every=3600, params=params)
    schedule = str(made["id"])
    words = (
        *(schedule, "--from", "2026-01-01T00:00:00Z", "--until", "2026-01-01T02:00:00Z"),
        *("--max-active", "1"),
    )

    assert celesta("backfill", "create", *words, "--preview", "--json").json["count"] == 3
    refused = celesta("backfill", "create", *words, "--max-slots", "1")
    assert (refused.code, "[invalid_backfill]" in refused.error) == (1, True)
    number = str(celesta("backfill", "create", *words, "--json").json["id"])
    assert celesta("backfill", "pause", number).code == 0
    assert celesta("backfill", "resume", number).code == 0
    assert len(celesta("backfill", "slots", number, "--json").lines) == 3
    assert number in celesta("backfill", "list", "--schedule", schedule).text
    assert celesta("backfill", "cancel", number, "--json").json["state"] == "cancelled"
    assert celesta("backfill", "show", number).code == 0
    client.schedules.delete(made["id"])
    list(client.runs.many("cancel", {"workflow": name}))


def test_many_runs_and_dead_letters_are_counted_first(
    celesta: Call, client: Celesta, name: str
) -> None:
    client.workflows.publish(name, DOCUMENT.replace("orders.fulfil", name))
    waiting = [client.runs.start(name, {"order_id": 1, "pause": "1h"})["id"] for _ in range(3)]
    counted = celesta("run", "many", "cancel", "--workflow", name)
    assert (counted.code, counted.text) == (0, "cancel: 3 match; add --yes to do it\n")
    assert celesta("run", "many", "cancel").code == 1  # never simply all there are
    done = celesta("run", "many", "cancel", "--workflow", name, "--yes", "--json")
    assert (done.code, {row["id"] for row in done.lines}) == (0, set(waiting))

    failed = client.runs.start(name, {"order_id": 0})["id"]
    assert client.runs.wait(failed, 60)["state"] == "failed"
    counted = celesta("deadletter", "retry", "--workflow", name)
    # The node that divides, and the end, whose output it would have been.
    assert counted.text == "retry: 2 match; add --yes to do it\n"
    letters = celesta("deadletter", "list", "--workflow", name, "--json").lines
    number = next(str(one["id"]) for one in letters if one["node"] == "ship")
    retried = celesta("deadletter", "retry", number, "--json")
    assert (retried.code, bool(retried.lines[0]["run"])) == (0, True)
    assert client.runs.wait(retried.lines[0]["run"], 60)["state"] == "failed"
    done = celesta("deadletter", "discard", "--workflow", name, "--reason", "closed", "--yes")
    assert (done.code, done.text.endswith(": done\n")) == (0, True)
    states = {row["state"] for row in client.dead_letters.list(workflow=name)}
    assert states == {"discarded", "retried"}


def test_a_schedule_is_updated_field_by_field(celesta: Call, client: Celesta, name: str) -> None:
    client.workflows.publish(name, DOCUMENT.replace("orders.fulfil", name))
    params = {"order_id": 1, "pause": "0s"}
    made = client.schedules.create(name, name, every=3600, params=params, overlap="skip")
    number = str(made["id"])
    tag = celesta("schedule", "show", number, "--json").json["etag"]

    words = (
        "schedule",
        "update",
        number,
        "--cron",
        "0 2 * * *",
        "-p",
        "order_id=2",
        "--no-enabled",
    )
    done = celesta(*words, "--json")
    assert done.code == 0, done.error
    seen = client.schedules.get(made["id"])
    assert (seen["cron"], seen["every"], seen["enabled"]) == ("0 2 * * *", None, False)
    assert (seen["params"], seen["overlap"]) == ({"order_id": 2, "pause": "0s"}, "skip")
    stale = celesta("schedule", "update", number, "--jitter", "5", "--if-match", tag)
    assert (stale.code, "[precondition_failed]" in stale.error) == (1, True)
    assert celesta("schedule", "update", number, "--jitter", "5").code == 0
    assert "Say what to change" in celesta("schedule", "update", number).error
    assert client.schedules.get(made["id"])["jitter"] == 5
    assert client.schedules.update(made["id"], params={"order_id": 3})["params"] == {"order_id": 3}
    client.schedules.delete(made["id"])


def test_what_is_updated_is_what_the_api_takes(client: Celesta) -> None:
    from celesta.client.schedules import WRITTEN

    schemas = client.transport.call("GET", client.transport.base.removesuffix("v1") + "schema/")
    body = schemas.json()["components"]["schemas"]["ScheduleBodyRequest"]
    assert set(WRITTEN) == set(body["properties"])
