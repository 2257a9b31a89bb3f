"""Authoring in the admin alone: write, see what is wrong where, keep it, publish it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from celesta.access.models import Workspace
from celesta.console.forms.starter import STARTER
from celesta.workflows import drafts, publishing
from celesta.workflows.drafts import DraftChanged, DraftGone
from celesta.workflows.models import Workflow, WorkflowVersion

NEW = reverse("celesta_console:workflow-new")
BROKEN = """\
workflow: shop.orders
nodes:
  a: {type: transform, with: {output: 1}, needs: [b]}
  b: {type: transform, with: {output: 1}, needs: [a]}
  c: {type: transfrom, with: {output: 1}}
  d: {type: transform, with: {output: 1}, needs: [nowhere]}
"""
GOOD = "workflow: shop.orders\nnodes:\n  a: {type: transform, with: {output: 1}}\n"
UNREADABLE = "workflow: shop.orders\nnodes: [\n"


@pytest.fixture
def author(client_of: Callable[[str], Client]) -> Client:
    return client_of("author")


def edit(workflow: Workflow) -> str:
    return reverse("celesta_console:edit", args=[workflow.pk])


def send(
    client: Client, workflow: Workflow, text: str, action: str = "save", **more: Any
) -> HttpResponse:
    workflow.refresh_from_db()
    form = {"source": text, "action": action, "base": workflow.draft_revision, **more}
    return client.post(edit(workflow), form)  # type: ignore[return-value]


def test_a_new_workflow_begins_with_a_valid_example(author: Client, workspace: Workspace) -> None:
    assert publishing.validate(STARTER, workspace=workspace).plan is not None
    assert b"my.workflow" in author.get(NEW).content


def test_create_validate_publish_in_the_admin_alone(author: Client) -> None:
    created = author.post(NEW, {"source": GOOD, "action": "save"})
    workflow = Workflow.objects.get()
    assert created.headers["Location"] == edit(workflow)
    assert (workflow.name, workflow.draft, workflow.current) == ("shop.orders", GOOD, None)
    checked = send(author, workflow, GOOD, "validate")
    assert b"valid" in checked.content
    answer = send(author, workflow, GOOD, "publish", note="the first")
    assert answer.headers["Location"] == reverse("celesta_console:workflow", args=[workflow.pk])
    workflow.refresh_from_db()
    assert workflow.current is not None
    assert (workflow.current.number, workflow.current.note) == (1, "the first")
    assert workflow.current.created_by is not None
    assert workflow.draft == ""
    assert workflow.current.source == GOOD


@pytest.mark.parametrize("action", ["validate", "publish"])
def test_every_problem_is_shown_with_its_line_and_the_draft_is_kept(
    author: Client, workspace: Workspace, action: str
) -> None:
    workflow = Workflow.objects.create(workspace=workspace, name="shop.orders")
    answer = send(author, workflow, BROKEN, action)
    page = answer.content.decode()
    assert answer.status_code == (200 if action == "validate" else 400)
    lines = {mark["line"]: mark for mark in answer.context["marks"]}  # type: ignore[attr-defined]
    assert {5, 6} <= set(lines)
    assert lines[5]["code"] == "unknown_node_type"
    assert "transform" in lines[5]["message"] + lines[5]["hint"]
    assert 'data-line="5"' in page
    assert "line 6" in page
    assert 'aria-invalid="true"' in page
    assert "needs: [nowhere]" in page
    workflow.refresh_from_db()
    assert workflow.draft == BROKEN
    assert workflow.current is None


def test_an_unreadable_document_is_kept_too(author: Client) -> None:
    author.post(NEW, {"source": UNREADABLE, "action": "save"})
    workflow = Workflow.objects.get()
    assert (workflow.name, workflow.draft) == ("shop.orders", UNREADABLE)
    page = author.get(edit(workflow))
    assert page.context["errors"] >= 1
    assert page.context["marks"][0]["line"] is not None


def test_a_document_without_a_name_is_kept_and_named_later(author: Client) -> None:
    author.post(NEW, {"source": "nodes: {", "action": "save"})
    author.post(NEW, {"source": "nodes: {", "action": "save"})
    first, second = Workflow.objects.order_by("pk")
    assert (first.name, second.name) == ("untitled", "untitled-2")
    send(author, first, GOOD)
    first.refresh_from_db()
    assert first.name == "shop.orders"


def test_publishing_a_broken_new_document_keeps_it(author: Client) -> None:
    answer = author.post(NEW, {"source": BROKEN, "action": "publish"})
    assert answer.status_code == 400
    workflow = Workflow.objects.get()
    assert workflow.draft == BROKEN
    assert edit(workflow) in answer.content.decode()


def test_validating_a_new_document_makes_nothing(author: Client) -> None:
    answer = author.post(NEW, {"source": BROKEN, "action": "validate"})
    assert answer.status_code == 200
    assert answer.context["errors"] >= 3
    assert not Workflow.objects.exists()


def test_the_name_of_a_published_workflow_stays(author: Client, version: WorkflowVersion) -> None:
    workflow = version.workflow
    for action in ("validate", "publish"):
        answer = send(author, workflow, "# a comment\n" + GOOD, action)
        (mark,) = answer.context["marks"]  # type: ignore[attr-defined]
        assert (mark["code"], mark["line"]) == ("workflow_name_mismatch", 2)
    workflow.refresh_from_db()
    assert workflow.name == "orders.fulfil"
    assert workflow.draft == "# a comment\n" + GOOD
    assert not Workflow.objects.filter(name="shop.orders").exists()


def test_two_authors_do_not_overwrite_each_other(
    author: Client, client_of: Callable[[str], Client], version: WorkflowVersion
) -> None:
    workflow = version.workflow
    workflow.refresh_from_db()
    base = workflow.draft_revision
    other = client_of("admin")
    mine, theirs = version.source + "# mine\n", version.source + "# theirs\n"
    saved = other.post(edit(workflow), {"source": theirs, "action": "save", "base": base})
    assert saved.status_code == 302
    answer = author.post(edit(workflow), {"source": mine, "action": "save", "base": base})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "# mine" in page
    assert "# theirs" in page
    workflow.refresh_from_db()
    assert workflow.draft == theirs
    again = {"source": mine, "action": "save", "base": answer.context["editing"].base}
    assert author.post(edit(workflow), again).status_code == 302
    workflow.refresh_from_db()
    assert workflow.draft == mine


def test_saving_the_same_text_twice_is_no_conflict(
    author: Client, version: WorkflowVersion
) -> None:
    version.workflow.refresh_from_db()
    form = {"source": GOOD, "action": "save", "base": version.workflow.draft_revision}
    form["source"] = version.source + "# more\n"
    assert author.post(edit(version.workflow), form).status_code == 302
    assert author.post(edit(version.workflow), form).status_code == 302


def test_what_is_not_changed_is_not_published_again(
    author: Client, version: WorkflowVersion
) -> None:
    answer = send(author, version.workflow, version.source + "# a comment\n", "publish")
    page = author.get(answer.headers["Location"]).content.decode()
    assert "equals version 1" in page
    assert version.workflow.versions.count() == 1


def test_a_draft_can_be_thrown_away(author: Client, version: WorkflowVersion) -> None:
    workflow = version.workflow
    send(author, workflow, BROKEN)
    send(author, workflow, "", "discard")
    workflow.refresh_from_db()
    assert workflow.draft == ""
    author.post(NEW, {"source": GOOD, "action": "save"})
    fresh = Workflow.objects.get(name="shop.orders")
    assert b'name="base" value="1"' in author.get(edit(fresh)).content.split(b'class="discard"')[1]
    send(author, fresh, "", "discard")
    assert not Workflow.objects.filter(pk=fresh.pk).exists()


def test_what_somebody_saved_meanwhile_is_not_thrown_away(
    author: Client, version: WorkflowVersion
) -> None:
    workflow = version.workflow
    send(author, workflow, BROKEN)
    seen = drafts.opened(workflow).revision
    drafts.save(workflow, GOOD, seen, by=None)
    answer = author.post(edit(workflow), {"action": "discard", "base": seen}, follow=True)
    assert "not discarded" in answer.content.decode()
    assert drafts.opened(workflow).text == GOOD


def test_what_was_published_meanwhile_is_not_deleted(author: Client) -> None:
    author.post(NEW, {"source": GOOD, "action": "save"})
    stale = Workflow.objects.get(name="shop.orders")
    publishing.publish(stale.workspace, GOOD, by=None)
    with pytest.raises(DraftChanged):
        drafts.discard(stale, stale.draft_revision)
    assert Workflow.objects.get(name="shop.orders").current is not None


def test_a_draft_that_somebody_discarded_is_gone_for_all(
    author: Client, workspace: Workspace
) -> None:
    workflow = drafts.create(workspace, GOOD, by=None)
    assert drafts.discard(workflow, 1)
    assert drafts.discard(Workflow(pk=workflow.pk), 1)  # twice is once
    with pytest.raises(DraftGone):
        drafts.save(workflow, GOOD, 1, by=None)


def test_two_workflows_begun_at_once_get_two_names(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts.create(workspace, GOOD, by=None)
    other = drafts.create(workspace, "", by=None)
    look = drafts._free_name
    stale = iter(["shop.orders", "shop.orders"])  # what was free when each of them looked

    def free_name(*args: Any) -> str:
        return next(stale, None) or look(*args)

    monkeypatch.setattr(drafts, "_free_name", free_name)
    assert drafts.create(workspace, GOOD, by=None).name == "shop.orders-2"
    stale = iter(["shop.orders"])
    drafts.save(other, GOOD, 1, by=None)
    other.refresh_from_db()
    assert other.name == "shop.orders-3"


def test_text_that_no_database_takes_stays_in_the_page(
    author: Client, version: WorkflowVersion
) -> None:
    answer = send(author, version.workflow, "workflow: a\x00b\n")
    assert answer.status_code == 400
    assert "Nothing was saved" in answer.content.decode()
    too_long = send(author, version.workflow, GOOD, "publish", note="n" * 501)
    assert too_long.status_code == 400
    assert GOOD.splitlines()[0] in too_long.content.decode()
    version.workflow.refresh_from_db()
    assert version.workflow.draft == ""


def test_the_script_asks_while_one_types(author: Client) -> None:
    answer = author.post(reverse("celesta_console:validate"), {"source": BROKEN}).json()
    assert not answer["valid"]
    assert {"code", "path", "message", "hint", "severity", "line", "column"} <= set(
        answer["problems"][0]
    )
    assert author.post(reverse("celesta_console:validate"), {"source": GOOD}).json()["valid"]


def test_a_draft_is_said_to_wait(author: Client, version: WorkflowVersion) -> None:
    send(author, version.workflow, BROKEN)
    page = author.get(reverse("celesta_console:workflow", args=[version.workflow_id]))
    assert b"A draft is waiting" in page.content


def test_windows_line_ends_become_plain_ones(author: Client) -> None:
    author.post(NEW, {"source": GOOD.replace("\n", "\r\n"), "action": "save"})
    assert Workflow.objects.get().draft == GOOD
