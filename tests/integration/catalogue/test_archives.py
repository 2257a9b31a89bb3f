"""D11: what is exported and imported into another workspace is identical."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from celesta.access.models import Workspace
from celesta.workflows import archive, catalogue, importing, publishing
from celesta.workflows.activation import set_active
from celesta.workflows.models import Workflow
from celesta.workflows.unpacking import unpack
from tests.integration.catalogue.archives import (
    FIRST,
    SECOND,
    THIRD,
    changed,
    edited,
    everything,
    manifest_of,
    packed,
)


def test_the_fixture_holds_what_it_says(shop: Workspace) -> None:
    found: Mapping[str, Any] = manifest_of(packed(shop))
    assert [(w["name"], len(w["versions"]), bool(w["draft"])) for w in found["workflows"]] == [
        ("orders.fulfil", 2, True), ("stock.count", 1, False), ("unfinished", 0, True),
    ]  # fmt: skip


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


def test_a_draft_that_no_editor_could_save_is_refused(
    shop: Workspace, elsewhere: Workspace, settings: Any
) -> None:
    text = "workflow: unfinished\n# " + "é" * 600
    Workflow.objects.filter(workspace=shop, name="unfinished").update(draft=text)
    found = unpack(packed(shop))
    settings.CELESTA = {"DEFINITION_MAX_BYTES": len(text.encode()) - 1}
    looks = {look.name: look for look in importing.preview(elsewhere, found)}
    assert looks["unfinished"].problems[0].code == "document_too_large"
    taken = importing.take(elsewhere, found, by=None)
    assert [one.outcome for one in taken] == ["published", "published", "refused"]
    assert not Workflow.objects.filter(workspace=elsewhere, name="unfinished").exists()

    settings.CELESTA = {"DEFINITION_MAX_BYTES": len(text.encode())}
    importing.take(elsewhere, found, by=None)
    assert Workflow.objects.get(workspace=elsewhere, name="unfinished").draft == text
