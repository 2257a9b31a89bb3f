"""``celesta`` as somebody calls it who is not on the host: real processes from end to end."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from celesta.client import Celesta
from tests.integration.client.conftest import DOCUMENT, Done, Service

# Only so that there is a test database: what the service does is committed for real.
pytestmark = pytest.mark.django_db

Call = Callable[..., Done]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.yaml"
    path.write_text(DOCUMENT)
    return path


def test_validate_publish_list_show_export_import(
    celesta: Call, client: Celesta, file: Path, tmp_path: Path
) -> None:
    file.write_text(DOCUMENT.replace("orders.fulfil", "orders.again"))
    assert celesta("workflow", "validate", str(file)).text == "valid\n"
    done = celesta("workflow", "publish", str(file), "--note", "why")
    assert (done.code, done.text) == (0, "orders.again published as version 1\n")
    assert "is already version 1" in celesta("workflow", "import", str(file)).text
    assert "orders.again" in celesta("workflow", "list", "-q", "again").text
    assert celesta("workflow", "show", "orders.again", "--json").json["version"] == 1
    out = tmp_path / "out.yaml"
    assert celesta("workflow", "export", "orders.again", "-o", str(out)).code == 0
    assert celesta("workflow", "publish", "-", stdin=out.read_text()).text.endswith("version 1\n")


def test_problems_are_told_as_editors_read_them(celesta: Call, client: Celesta, file: Path) -> None:
    file.write_text(DOCUMENT.replace("[rest]", "[rst]"))

    for verb in ("validate", "publish"):
        done = celesta("workflow", verb, str(file))
        assert done.code == 1
        told = done.text + done.error
        assert f"{file}:13:" in told
        assert "error: nodes.ship.needs[0]: " in told
        assert "[unknown_need]" in told


def test_start_watch_and_the_exit_code(celesta: Call, client: Celesta) -> None:
    words = ("run", "start", "orders.fulfil", "-p", "order_id=5", "-p", "zip=01234", "--watch")
    done = celesta(*words)
    assert done.code == 0, done.error
    assert "run_succeeded" in done.text
    run = next(iter(client.runs.list(limit=1)))
    assert client.runs.get(run["id"])["params"]["zip"] == "01234"

    failed = celesta("run", "start", "orders.fulfil", "-p", "order_id=0", "--watch", "--json")
    assert failed.code == 1
    assert failed.lines[0]["kind"] == "run_pending"
    assert failed.lines[-1]["state"] == "failed"
    why = celesta("run", "why", failed.lines[-1]["id"])
    assert "ship: failed" in why.text
    assert celesta("run", "logs", failed.lines[-1]["id"]).code == 0
    assert celesta("run", "why", failed.lines[-1]["id"], "ship", "--json").code == 0
    letters = celesta("deadletter", "list", "--json").lines
    assert failed.lines[-1]["id"] in str(letters)
    raw = celesta("api", "GET", f"runs/{failed.lines[-1]['id']}/").json
    assert raw["state"] == "failed"
    assert (
        celesta("api", "post", "schedules/preview/", "--data", "-", stdin='{"every": 60}').code == 0
    )
    failure = failed.lines[-1]["id"]
    seen = celesta("run", "rerun", failure, "--version", "1", "--preview", "--json").json
    assert set(seen) == {"again", "kept"}
    assert celesta("run", "rerun", failure, "--version", "99").code == 1
    again = celesta("run", "rerun", failure, "--watch")
    assert again.code == 1


def test_pause_resume_cancel_list_show(celesta: Call, client: Celesta) -> None:
    run = celesta(
        "run", "start", "orders.fulfil", "--params", '{"order_id": 1, "pause": "1h"}', "--json"
    ).json["id"]

    assert celesta("run", "pause", run, "--reason", "lunch", "--json").json["state"] == "paused"
    assert celesta("run", "resume", run).code == 0
    assert celesta("run", "cancel", run).code == 0
    assert celesta("run", "watch", run).code == 1
    listed = celesta("run", "list", "--state", "cancelled", "--json").lines
    assert run in [row["id"] for row in listed]
    assert run in celesta("run", "show", run).text
    refused = celesta("run", "pause", run)
    assert refused.code == 1
    assert "[run_already_finished]" in refused.error


def test_many_at_once_from_a_file(celesta: Call, client: Celesta) -> None:
    done = celesta(
        "run", "bulk", "orders.fulfil", "-", stdin='{"order_id": 1}\n{"order_id": "x"}\n'
    )

    assert done.code == 1
    assert len(done.text.splitlines()) == 2
    assert celesta("run", "bulk", "orders.fulfil", "-", "--json", stdin='{"order_id": 1}').code == 0


def test_schedules_and_tokens(celesta: Call, client: Celesta) -> None:
    words = ("nightly", "orders.fulfil", "--cron", "0 2 * * *", "-p", "order_id=1")
    made = celesta("schedule", "create", *words, "--json").json
    number = str(made["id"])
    assert len(celesta("schedule", "next", number, "--count", "3").text.splitlines()) == 4
    assert celesta("schedule", "run", number).code == 0
    assert celesta("schedule", "pause", number).code == 0
    assert "nightly" in celesta("schedule", "list").text
    assert celesta("schedule", "delete", number).code == 0

    secret = celesta("token", "create", "reader", "--role", "viewer", "--scope", "runs:read")
    assert secret.text.startswith("celesta_")
    other = {"CELESTA_TOKEN": secret.text.strip()}
    assert celesta("run", "list", **other).code == 0
    refused = celesta("workflow", "list", **other)
    assert (refused.code, "[scope_missing]" in refused.error) == (1, True)
    tokens = celesta("token", "list", "--json").lines
    number = str(next(row["id"] for row in tokens if row["name"] == "reader"))
    assert celesta("token", "rotate", number, "--overlap", "0").text.startswith("celesta_")
    assert celesta("run", "list", **other).code == 1
    assert celesta("token", "delete", number).code == 0


def test_the_profile_is_for_its_owner_only(celesta: Call, service: Service, tmp_path: Path) -> None:
    bare = {"CELESTA_URL": "", "CELESTA_TOKEN": ""}
    nobody = celesta("me", **bare)
    assert (nobody.code, "celesta login" in nobody.error) == (1, True)

    assert celesta("login", service.url, stdin="celesta_wrong\n", **bare).code == 1
    assert not (tmp_path / "profile.json").exists()  # what does not work is not kept
    done = celesta("login", service.url, stdin=f"{service.token}\n", **bare)
    assert done.code == 0, done.error
    kept = tmp_path / "profile.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "root" in celesta("me", **bare).text

    kept.chmod(0o644)
    open_to_all = celesta("me", **bare)
    assert (open_to_all.code, "chmod 600" in open_to_all.error) == (1, True)


def test_exit_codes_of_what_goes_wrong_outside(celesta: Call) -> None:
    assert celesta("run", "list", CELESTA_URL="http://127.0.0.1:9").code == 3
    assert celesta("run", "list", CELESTA_TOKEN="celesta_wrong").code == 1
    assert celesta("run", "fly").code == 2
    told = celesta("run", "show", "ffffffff", "--json")
    assert (told.code, told.json["code"]) == (1, "run_not_found")
