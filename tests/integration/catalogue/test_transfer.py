"""D11: archives go out and come in by the API, by pages and by the command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from celesta.access.models import Role, Workspace
from celesta.workflows.models import Workflow
from tests.integration.api.conftest import Api, problem_of
from tests.integration.catalogue.archives import FIRST, changed, everything, manifest_of, packed
from tests.integration.cli.conftest import Result

# --- The API ---


def test_the_api_exports_previews_and_imports(
    shop: Workspace, elsewhere: Workspace, api: Api, caller: Callable[..., Api]
) -> None:
    exported = api.get("workflows/export/", Accept="application/zip")
    assert exported.headers["Content-Type"] == "application/zip"
    assert 'filename="workflows-default.zip"' in exported.headers["Content-Disposition"]
    assert exported.content == packed(shop)
    other = caller(Role.AUTHOR, elsewhere)
    seen = other.post("workflows/import/?preview=true", exported.content)
    assert [(w["name"], w["status"], w["outcome"]) for w in seen.json()["workflows"]] == [
        ("orders.fulfil", "new", None), ("stock.count", "new", None), ("unfinished", "new", None),
    ]  # fmt: skip
    assert not Workflow.objects.filter(workspace=elsewhere).exists()
    done = other.post("workflows/import/", exported.content).json()
    assert done["preview"] is False
    assert [w["outcome"] for w in done["workflows"]] == ["published", "published", "drafted"]
    assert everything(elsewhere) == everything(shop)
    version = Workflow.objects.get(workspace=elsewhere, name="orders.fulfil").current
    assert version
    assert version.created_by
    assert version.created_by.get_username() == "author-of-elsewhere"


def test_the_api_exports_a_choice(shop: Workspace, api: Api) -> None:
    def names(query: str) -> list[str]:
        content = api.get(f"workflows/export/?{query}").content
        return [one["name"] for one in manifest_of(content)["workflows"]]

    assert names("name=stock.count,orders.fulfil") == ["orders.fulfil", "stock.count"]
    assert names("tag=shop") == ["orders.fulfil"]
    current = manifest_of(api.get("workflows/export/?tag=shop&history=false").content)
    assert [v["number"] for v in current["workflows"][0]["versions"]] == [2]
    problem_of(api.get("workflows/export/?name=nothing"), 404, "not_found")
    problem_of(api.get("workflows/export/?history=maybe"), 400, "invalid_query")


def test_the_api_imports_changed_ones_as_it_is_told(
    shop: Workspace, elsewhere: Workspace, caller: Callable[..., Api]
) -> None:
    changed(elsewhere, FIRST)
    other, data = caller(Role.AUTHOR, elsewhere), packed(shop)
    where = "workflows/import/?name=orders.fulfil"
    for ask, outcome in (("skip", "skipped"), ("draft", "drafted"), ("publish", "published")):
        (done,) = other.post(f"{where}&changed={ask}", data).json()["workflows"]
        assert done["outcome"] == outcome
    assert done["version"] == 2
    problem_of(other.post(f"{where}&changed=never", data), 400, "invalid_query")


def test_the_api_says_what_is_wrong_with_an_archive(api: Api, settings: Settings) -> None:
    body = problem_of(api.post("workflows/import/", b"PK nothing"), 400, "invalid_archive")
    assert body["errors"][0]["code"] == "not_a_zip"
    problem_of(api.post("workflows/import/", "workflow: a\n"), 400, "malformed_body")
    problem_of(api.post("workflows/import/", None), 400, "malformed_body")
    settings.CELESTA = {**settings.CELESTA, "IMPORT_MAX_BYTES": 10}
    problem_of(api.post("workflows/import/", b"PK" + b"x" * 20), 413, "body_too_large")


def test_workflows_of_these_names_are_not_lost(api: Api) -> None:
    for name in ("export", "import"):
        document = FIRST.replace("orders.fulfil", name)
        assert api.put(f"workflows/{name}/", document).status_code == 201
    assert api.get("workflows/import/").json()["name"] == "import"
    assert [v["number"] for v in api.get("workflows/export/versions/").json()["results"]] == [1]


# --- The pages ---


def post(client: Client, **fields: Any) -> Any:
    return client.post(reverse("celesta_console:import"), fields)


def uploaded(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("workflows.zip", data, "application/zip")


def test_pages_export_look_and_import(
    shop: Workspace, elsewhere: Workspace, client_of: Callable[[str], Client]
) -> None:
    client = client_of("superuser")
    page = client.get(reverse("celesta_console:transfer"), {"workspace": shop.slug})
    assert b"Fulfil an order" in page.content
    download = client.get(
        reverse("celesta_console:export"), {"workspace": shop.slug, "history": "1"}
    )
    assert download.content == packed(shop)
    changed(elsewhere, FIRST)

    seen = post(client, workspace="elsewhere", history="1", file=uploaded(download.content))
    assert (seen.status_code, b"as a new version" in seen.content) == (200, True)
    kept = seen.context["archive"]
    done = post(
        client, workspace="elsewhere", history="1", archive=kept, action="import",
        **{"choice-0": "publish", "choice-1": "skip", "choice-2": "draft"},
    )  # fmt: skip
    assert b"2 of 3 workflows were imported" in done.content
    assert [one.outcome for one, _ in done.context["taken"]] == ["published", "skipped", "drafted"]
    names = Workflow.objects.filter(workspace=elsewhere).order_by("name")
    assert [(one.name, one.versions.count()) for one in names] == [
        ("orders.fulfil", 2), ("unfinished", 0),
    ]  # fmt: skip


def test_a_page_says_what_is_wrong(client_of: Callable[[str], Client]) -> None:
    client = client_of("author")
    for fields in ({"file": uploaded(b"no")}, {"archive": "é"}, {}):
        answer = post(client, **fields)
        assert (answer.status_code, b"not_a_zip" in answer.content) == (400, True)


def test_an_archive_too_large_for_a_form_is_shown_and_left_to_the_command(
    shop: Workspace, elsewhere: Workspace, client_of: Callable[[str], Client], settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 65 * 1024
    seen = post(client_of("superuser"), workspace="elsewhere", file=uploaded(packed(shop)))
    assert (b"too large for a form" in seen.content, seen.context["archive"]) == (True, "")


# --- The command ---


def test_the_command_exports_and_imports(
    shop: Workspace, elsewhere: Workspace, manage: Callable[..., Result], tmp_path: Path
) -> None:
    file = str(tmp_path / "all.zip")
    assert "3 workflows" in manage("workflow", "export", "--all", "-o", file).text
    assert Path(file).read_bytes() == packed(shop)
    where = ("--workspace", "elsewhere")
    dry = manage("workflow", "import", file, "--dry-run", *where)
    assert [line.split() for line in dry.text.splitlines()][1:] == [
        ["orders.fulfil", "new", "2", "published"],
        ["stock.count", "new", "1", "published"],
        ["unfinished", "new", "0", "drafted"],
    ]
    assert not Workflow.objects.filter(workspace=elsewhere).exists()
    done = manage("workflow", "import", file, *where, "--json").json
    assert [row["outcome"] for row in done] == ["published", "published", "drafted"]
    assert everything(elsewhere) == everything(shop)
    again = manage("workflow", "import", file, *where, "--only", "stock.count")
    assert again.text.splitlines()[1].split() == ["stock.count", "identical", "0", "unchanged"]


def test_the_command_exports_some_and_refuses_clearly(
    shop: Workspace, manage: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "some.zip"
    manage("workflow", "export", "--tag", "shop", "--current-only", "-o", str(file))
    assert [w["name"] for w in manifest_of(file.read_bytes())["workflows"]] == ["orders.fulfil"]
    manage("workflow", "export", "stock.count", "-o", str(file))
    assert [w["name"] for w in manifest_of(file.read_bytes())["workflows"]] == ["stock.count"]
    assert "-o workflows.zip" in manage("workflow", "export", "--all").error
    assert "--all or --tag" in manage("workflow", "export").error
    assert "workflow list" in manage("workflow", "export", "a", "b", "-o", str(file)).error
    file.write_bytes(b"no")
    refused = manage("workflow", "import", str(file))
    assert (refused.code, "nothing was imported" in refused.error) == (1, True)
    assert "cannot be read" in manage("workflow", "import", str(tmp_path / "none.zip")).error
