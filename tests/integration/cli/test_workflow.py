"""``manage.py workflow``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from celesta.access.models import Workspace
from celesta.graph.compiler import compile_document
from celesta.runs.models import Run
from celesta.workflows.models import Workflow, WorkflowVersion
from tests.integration.cli.conftest import DOCUMENT, Result

Manage = Callable[..., Result]


def test_a_good_document_is_valid(manage: Manage, file: Path) -> None:
    result = manage("workflow", "validate", str(file))

    assert result.code == 0
    assert result.text.startswith("orders.fulfil is valid: 2 nodes, checksum ")
    assert not Workflow.objects.exists()


def test_faults_are_told_with_file_line_and_cure(manage: Manage, file: Path) -> None:
    file.write_text(
        DOCUMENT.replace("needs: [fetch]", "needs: [ftech]").replace("zip:", "zip: 7 #")
    )

    result = manage("workflow", "validate", str(file))

    assert result.code == 1
    assert f"{file}:15:13: error: nodes.ship.needs[0]: " in result.text
    assert "error" in result.error
    assert manage("workflow", "publish", str(file)).code == 1
    assert not Workflow.objects.exists()


def test_faults_as_json(manage: Manage, file: Path) -> None:
    file.write_text(DOCUMENT.replace("needs: [fetch]", "needs: [ftech]"))

    result = manage("workflow", "validate", str(file), "--json")

    assert result.code == 1
    assert result.json["valid"] is False
    assert result.json["problems"][0]["path"] == "nodes.ship.needs[0]"


def test_publishing_twice_makes_one_version(manage: Manage, file: Path) -> None:
    first = manage("workflow", "publish", str(file), "--note", "first")
    again = manage("workflow", "publish", str(file))

    assert first.text == "published orders.fulfil version 1\n"
    assert again.text == "orders.fulfil is at version 1 already\n"
    assert WorkflowVersion.objects.get().note == "first"


@pytest.mark.parametrize("form", ["yaml", "json", "source"])
def test_what_is_exported_can_be_published_unchanged(
    manage: Manage, file: Path, tmp_path: Path, form: str
) -> None:
    manage("workflow", "publish", str(file))
    exported = tmp_path / "exported"

    printed = manage("workflow", "export", "orders.fulfil", "--format", form)
    assert manage(
        "workflow", "export", "orders.fulfil", "--format", form, "-o", str(exported)
    ).text == (f"wrote {exported}\n")

    assert exported.read_text() == printed.text
    assert "already" in manage("workflow", "publish", str(exported)).text


def test_a_version_is_exported_as_python_that_builds_it(manage: Manage, file: Path) -> None:
    manage("workflow", "publish", str(file))
    source = manage("workflow", "export", "orders.fulfil", "--format", "python").text
    scope: dict[str, Any] = {}
    exec(source, scope)
    assert compile_document(scope["flow"].document()).checksum == (
        WorkflowVersion.objects.get().checksum
    )


def test_an_older_version_is_exported(manage: Manage, file: Path) -> None:
    manage("workflow", "publish", str(file))
    file.write_text(DOCUMENT.replace("Fulfil an", "Send an"))
    manage("workflow", "publish", str(file))

    old = manage("workflow", "export", "orders.fulfil", "--version", "1", "--format", "source")

    assert old.text == DOCUMENT
    assert manage("workflow", "export", "orders.fulfil", "--version", "9").code == 1


def test_the_list_is_a_table_whose_columns_stand_below_each_other(
    manage: Manage, file: Path
) -> None:
    manage("workflow", "publish", str(file))
    file.write_text(DOCUMENT.replace("orders.fulfil", "a"))
    manage("workflow", "publish", str(file))

    lines = manage("workflow", "list").text.splitlines()

    assert [line.split()[0] for line in lines] == ["NAME", "a", "orders.fulfil"]
    assert (
        len({line.index(word) for line, word in zip(lines, ["VERS", "1", "1"], strict=True)}) == 1
    )
    assert manage("workflow", "list", "--json").json[0]["name"] == "a"


def test_show_tells_versions_and_params(manage: Manage, file: Path) -> None:
    manage("workflow", "publish", str(file), "--note", "why not")

    shown = manage("workflow", "show", "orders.fulfil")

    assert "Fulfil an order" in shown.text
    assert "order_id" in shown.text
    assert "why not" in shown.text
    assert manage("workflow", "show", "orders.fulfil", "--json").json["versions"][0]["number"] == 1


def test_activation(manage: Manage, file: Path) -> None:
    manage("workflow", "publish", str(file))

    assert manage("workflow", "deactivate", "orders.fulfil").text == (
        "orders.fulfil refuses new runs\n"
    )
    assert Workflow.objects.get().active is False
    refused = manage("run", "start", "orders.fulfil", "-p", "order_id=1")
    assert (refused.code, "workflow_inactive" in refused.error) == (1, True)
    manage("workflow", "activate", "orders.fulfil")
    assert manage("run", "start", "orders.fulfil", "-p", "order_id=1").code == 0


def test_pausing(manage: Manage, file: Path) -> None:
    manage("workflow", "publish", str(file))

    assert "only people and programs start it" in manage("workflow", "pause", "orders.fulfil").text
    assert manage("workflow", "list", "--json").json[0]["paused"] is True
    assert manage("run", "start", "orders.fulfil", "-p", "order_id=1").code == 0

    assert manage("workflow", "resume", "orders.fulfil", "--json").json["paused"] is False
    assert Workflow.objects.get().paused is False
    assert "workflow list" in manage("workflow", "pause", "nothing").error


def test_what_is_not_there(manage: Manage, tmp_path: Path) -> None:
    missing = manage("workflow", "publish", str(tmp_path / "none.yaml"))
    assert (missing.code, "cannot be read: No such file" in missing.error) == (1, True)
    (tmp_path / "latin").write_bytes(b"\xff")
    assert "not UTF-8" in manage("workflow", "validate", str(tmp_path / "latin")).error
    assert "workflow list" in manage("workflow", "show", "nothing").error
    assert "no such workspace" in manage("workflow", "list", "--workspace", "x").error


def test_each_workspace_has_its_own(manage: Manage, file: Path) -> None:
    Workspace.objects.create(slug="other", name="Other")

    manage("workflow", "publish", str(file), "--workspace", "other")

    assert manage("workflow", "list", "--json").json == []
    assert len(manage("workflow", "list", "--json", "--workspace", "other").json) == 1


def test_a_dry_run_says_what_would_run_and_starts_nothing(manage: Manage, file: Path) -> None:
    name = "orders.fulfil"
    assert manage("workflow", "publish", str(file)).code == 0
    told = manage("workflow", "dry-run", name, "-p", "order_id=7", "--json")
    assert told.code == 0, told.error
    of_file = manage("workflow", "dry-run", "--file", str(file), "-p", "order_id=7")
    assert of_file.code == 0, of_file.error
    assert "runs" in of_file.text
    assert not Run.objects.exists()

    refused = manage("workflow", "dry-run", name, "-p", "order_id=x")
    assert (refused.code, "[invalid_params]" in refused.error) == (1, True)
    assert manage("workflow", "dry-run").code == 1
