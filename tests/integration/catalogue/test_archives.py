"""D11: what is exported and imported into another workspace is identical; bad archives say why."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from celesta.access.models import Role, Workspace
from celesta.workflows import archive, catalogue, importing, publishing
from celesta.workflows.activation import set_active, set_paused
from celesta.workflows.errors import ArchiveInvalid
from celesta.workflows.models import Workflow
from celesta.workflows.unpacking import unpack
from tests.integration.api.conftest import Api, problem_of
from tests.integration.api.conftest import api as api
from tests.integration.api.conftest import caller as caller
from tests.integration.api.conftest import workspace as workspace
from tests.integration.cli.conftest import Result
from tests.integration.cli.conftest import manage as manage
from tests.integration.console.conftest import client_of as client_of
from tests.integration.console.conftest import elsewhere as elsewhere
from tests.integration.console.conftest import people as people

FIRST = """\
# Written by hand; this comment has to survive.
workflow: orders.fulfil
title: Fulfil an order
tags: [shop]
nodes:
  fetch: {type: transform, with: {output: 1}} # here too
"""
SECOND = FIRST.replace("output: 1", "output: 2")
THIRD = FIRST.replace("output: 1", "output: 3")


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Two versions with notes and a draft, a switched-off one in JSON, and a draft alone."""
    publishing.publish(workspace, FIRST, by=None, note="the first")
    publishing.publish(workspace, SECOND, by=None, note="twice as much")
    orders = Workflow.objects.get(name="orders.fulfil")
    orders.draft = THIRD
    orders.save()
    stock = {
        "workflow": "stock.count",
        "nodes": {"a": {"type": "transform", "with": {"output": 0}}},
    }
    publishing.publish(workspace, json.dumps(stock), by=None)
    set_paused(set_active(Workflow.objects.get(name="stock.count"), active=False), paused=True)
    Workflow.objects.create(workspace=workspace, name="unfinished", draft="workflow: unfinished\n")
    return workspace


def everything(workspace: Workspace) -> list[Any]:
    """All that an export holds of a workspace."""
    return [
        {
            **{name: getattr(one, name) for name in FIELDS},
            "current": one.current.number if one.current else None,
            "versions": list(
                one.versions.order_by("number").values_list(
                    "number", "checksum", "source", "document", "plan_json", "note"
                )
            ),
        }
        for one in Workflow.objects.filter(workspace=workspace).order_by("name")
    ]


FIELDS = ("name", "title", "description", "tags", "active", "paused", "draft")


def packed(workspace: Workspace, **options: Any) -> bytes:
    return archive.pack(Workflow.objects.filter(workspace=workspace), **options)


def rewritten(data: bytes, **files: bytes | None) -> bytes:
    """The archive with files added, replaced or (None) left out; ``manifest`` is the manifest."""
    named = {("manifest.json" if name == "manifest" else name): v for name, v in files.items()}
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            if info.filename not in named:
                new.writestr(info, old.read(info))
        for name, content in named.items():
            if content is not None:
                new.writestr(name, content)
    return made.getvalue()


def manifest_of(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        found: dict[str, Any] = json.loads(opened.read("manifest.json"))
    return found


def edited(data: bytes, edit: Callable[[dict[str, Any]], Any]) -> bytes:
    manifest = manifest_of(data)
    edit(manifest)
    return rewritten(data, manifest=json.dumps(manifest).encode())


# --- Out and in again ---


def test_export_then_import_is_identical(shop: Workspace, elsewhere: Workspace) -> None:
    exported = packed(shop)

    taken = importing.take(elsewhere, unpack(exported), by=None)

    assert [(one.look.name, one.look.status, one.outcome) for one in taken] == [
        ("orders.fulfil", "new", "published"),
        ("stock.count", "new", "published"),
        ("unfinished", "new", "drafted"),
    ]
    assert everything(elsewhere) == everything(shop)
    assert packed(elsewhere) == exported  # to the byte, comments too
    again = importing.take(elsewhere, unpack(exported), by=None)
    assert {one.outcome for one in again} == {"unchanged"}
    assert packed(elsewhere) == exported


def test_every_template_survives_the_journey(workspace: Workspace, elsewhere: Workspace) -> None:
    for template in catalogue.everything().values():
        publishing.publish(workspace, template.source, by=None)
    exported = packed(workspace)
    importing.take(elsewhere, unpack(exported), by=None)
    assert everything(elsewhere) == everything(workspace)
    assert packed(elsewhere) == exported


def test_without_history_only_what_runs_travels(shop: Workspace, elsewhere: Workspace) -> None:
    importing.take(elsewhere, unpack(packed(shop, history=False)), by=None)
    orders = Workflow.objects.get(workspace=elsewhere, name="orders.fulfil")
    assert [version.source for version in orders.versions.all()] == [SECOND]
    assert (orders.current and orders.current.number, orders.draft) == (1, THIRD)


def test_of_a_full_archive_only_the_last_version_can_be_taken(
    shop: Workspace, elsewhere: Workspace
) -> None:
    importing.take(elsewhere, unpack(packed(shop)), by=None, history=False)
    orders = Workflow.objects.get(workspace=elsewhere, name="orders.fulfil")
    assert [version.source for version in orders.versions.all()] == [SECOND]


# --- Into a workspace that has the workflow already ---


def changed(elsewhere: Workspace, source: str) -> Workflow:
    publishing.publish(elsewhere, source, by=None)
    return Workflow.objects.get(workspace=elsewhere, name="orders.fulfil")


def only(shop: Workspace) -> Any:
    return unpack(archive.pack(Workflow.objects.filter(workspace=shop, name="orders.fulfil")))


def test_a_changed_workflow_becomes_a_draft_and_what_runs_stays(
    shop: Workspace, elsewhere: Workspace
) -> None:
    orders = changed(elsewhere, FIRST)
    (look,) = importing.preview(elsewhere, only(shop))
    assert (look.status, len(look.ahead), look.current, look.usual) == ("changed", 1, 1, "draft")
    (taken,) = importing.take(elsewhere, only(shop), by=None)
    orders.refresh_from_db()
    assert (taken.outcome, orders.draft, orders.current and orders.current.source) == (
        "drafted", SECOND, FIRST,
    )  # fmt: skip


def test_published_as_new_versions_after_the_common_one(
    shop: Workspace, elsewhere: Workspace
) -> None:
    orders = set_active(changed(elsewhere, FIRST), active=False)
    (taken,) = importing.take(elsewhere, only(shop), by=None, changed="publish")
    orders.refresh_from_db()
    assert (taken.outcome, taken.version) == ("published", 2)
    assert [v.source for v in orders.versions.order_by("number")] == [FIRST, SECOND]
    assert orders.active is False  # its switches are its own


def test_where_histories_have_parted_only_the_last_version_is_published(
    shop: Workspace, elsewhere: Workspace
) -> None:
    orders = changed(elsewhere, THIRD)
    importing.take(elsewhere, only(shop), by=None, choices={"orders.fulfil": "publish"})
    assert [v.source for v in orders.versions.order_by("number")] == [THIRD, SECOND]


def test_a_choice_by_name_leaves_one_out(shop: Workspace, elsewhere: Workspace) -> None:
    taken = importing.take(
        elsewhere, unpack(packed(shop)), by=None, choices={"stock.count": "skip"},
        only={"stock.count", "orders.fulfil"},
    )  # fmt: skip
    assert [one.outcome for one in taken] == ["published", "skipped"]
    assert [one.name for one in Workflow.objects.filter(workspace=elsewhere)] == ["orders.fulfil"]


def test_a_draft_that_somebody_works_on_is_not_overwritten(
    shop: Workspace, elsewhere: Workspace
) -> None:
    orders = changed(elsewhere, FIRST)
    Workflow.objects.filter(pk=orders.pk).update(draft="workflow: orders.fulfil # mine\n")
    (taken,) = importing.take(elsewhere, only(shop), by=None)
    assert (taken.outcome, taken.problems[0].code) == ("refused", "draft_exists")
    orders.refresh_from_db()
    assert orders.draft.endswith("# mine\n")


def test_one_that_cannot_be_published_here_keeps_no_other_out(
    shop: Workspace, elsewhere: Workspace
) -> None:
    from celesta.vault.models import Variable

    Variable.objects.create(workspace=shop, name="shop_url", value="x")
    needs = FIRST.replace("orders.fulfil", "needs.it").replace(
        "output: 1", 'output: "{{ vars.shop_url }}"'
    )
    publishing.publish(shop, needs, by=None)
    found = unpack(packed(shop))
    looks = {look.name: look for look in importing.preview(elsewhere, found)}
    assert looks["needs.it"].status == "invalid"
    assert looks["needs.it"].problems[0].code == "unknown_reference"
    taken = importing.take(elsewhere, found, by=None)
    assert [one.outcome for one in taken] == ["refused", "published", "published", "drafted"]
    assert not Workflow.objects.filter(workspace=elsewhere, name="needs.it").exists()


def test_a_document_under_another_name_than_its_own_is_refused(
    shop: Workspace, elsewhere: Workspace
) -> None:
    def rename(manifest: Any) -> None:
        manifest["workflows"][0]["name"] = "orders.other"

    (look, *_) = importing.preview(elsewhere, unpack(edited(packed(shop), rename)))
    assert (look.status, look.problems[0].code) == ("invalid", "workflow_name_mismatch")


# --- Bad archives ---


def codes(data: bytes) -> list[str]:
    with pytest.raises(ArchiveInvalid) as refused:
        unpack(data)
    return [problem.code for problem in refused.value.problems]


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04rubbish", b"workflow: a\n"])
def test_what_is_no_zip(data: bytes) -> None:
    assert codes(data) == ["not_a_zip"]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a\\..\\b", "c:/a.yaml", "workflows/../../x"]
)
def test_names_that_lead_out_of_the_archive(shop: Workspace, name: str) -> None:
    assert codes(rewritten(packed(shop), **{name: b"x"})) == ["unsafe_name"]


def test_a_bomb_is_not_unpacked(shop: Workspace, settings: Settings) -> None:
    settings.CELESTA = {**settings.CELESTA, "IMPORT_MAX_BYTES": 1_000_000}
    made = io.BytesIO(packed(shop))
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("bomb.yaml", b"\0" * 50_000_000)
    assert len(made.getvalue()) < 1_000_000
    with pytest.raises(ArchiveInvalid) as refused:
        unpack(made.getvalue())
    assert (refused.value.status, refused.value.problems[0].code) == (413, "archive_too_large")


def test_a_bomb_that_lies_about_its_size(shop: Workspace, settings: Settings) -> None:
    settings.CELESTA = {**settings.CELESTA, "IMPORT_MAX_BYTES": 1_000_000}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("manifest.json", b" " * 50_000_000)
    lying = bytearray(made.getvalue())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", lying, lying.rindex(mark) + offset, 10)
    assert codes(bytes(lying)) == ["not_a_zip"]


def test_too_large_before_it_is_opened(shop: Workspace, settings: Settings) -> None:
    settings.CELESTA = {**settings.CELESTA, "IMPORT_MAX_BYTES": 100}
    assert codes(packed(shop)) == ["archive_too_large"]


@pytest.mark.parametrize(
    ("edit", "code", "path"),
    [
        (lambda m: m.update(colour="red"), "unknown_field", "manifest.json.colour"),
        (
            lambda m: m["workflows"][0].update(owner="me"),
            "unknown_field",
            "manifest.json.workflows[0].owner",
        ),
        (
            lambda m: m["workflows"][0].update(active="yes"),
            "invalid_manifest",
            "manifest.json.workflows[0].active",
        ),
        (lambda m: m.update(format_version=2), "unknown_format", "manifest.json"),
        (lambda m: m.update(format="other"), "unknown_format", "manifest.json"),
        (
            lambda m: m["workflows"].append(m["workflows"][0]),
            "duplicate_workflow",
            "orders.fulfil",
        ),
        (
            lambda m: m["workflows"][0]["versions"][0].update(file="workflows/none.yaml"),
            "missing_file",
            "workflows/none.yaml",
        ),
        (
            lambda m: m["workflows"][0].update(versions=[], draft=None),
            "invalid_manifest",
            "orders.fulfil",
        ),
    ],
)
def test_a_manifest_that_is_not_ours(
    shop: Workspace, edit: Callable[[dict[str, Any]], Any], code: str, path: str
) -> None:
    with pytest.raises(ArchiveInvalid) as refused:
        unpack(edited(packed(shop), edit))
    assert (code, path) in [(found.code, found.path) for found in refused.value.problems]


def test_files_that_were_changed_added_or_left_out(shop: Workspace) -> None:
    first = "workflows/orders.fulfil/v1.yaml"
    assert codes(rewritten(packed(shop), **{first: SECOND.encode()})) == ["damaged_file"]
    assert codes(rewritten(packed(shop), **{first: b"\xff"})) == ["not_utf8"]
    assert codes(rewritten(packed(shop), **{first: None})) == ["missing_file"]
    assert codes(rewritten(packed(shop), **{"more.yaml": b"x"})) == ["unknown_file"]
    assert codes(rewritten(packed(shop), manifest=None)) == ["manifest_missing"]
    assert codes(rewritten(packed(shop), manifest=b"{")) == ["json_syntax"]
    assert codes(rewritten(packed(shop), manifest=b"[]")) == ["unknown_format"]


def test_flipped_bits_are_found(shop: Workspace) -> None:
    data = packed(shop)
    for place in range(40, len(data) - 200, 97):
        broken = bytearray(data)
        broken[place] ^= 0x10
        try:
            found = unpack(bytes(broken))
        except ArchiveInvalid:
            continue
        # In a field of the zip that says nothing, such as a time: the contents are the same.
        assert found.texts == unpack(data).texts


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


def test_the_fixture_holds_what_it_says(shop: Workspace) -> None:
    found: Mapping[str, Any] = manifest_of(packed(shop))
    assert [(w["name"], len(w["versions"]), bool(w["draft"])) for w in found["workflows"]] == [
        ("orders.fulfil", 2, True), ("stock.count", 1, False), ("unfinished", 0, True),
    ]  # fmt: skip
