"""The visual editor's page and its calls: what it is told, and that nothing is overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from celesta.access.models import Workspace
from celesta.console import pages
from celesta.console.views import versions
from celesta.workflows import drafts, publishing
from celesta.workflows.models import Workflow, WorkflowVersion
from tests.integration.console.test_editor import BROKEN, GOOD


@pytest.fixture
def author(client_of: Callable[[str], Client]) -> Client:
    return client_of("author")


def told(client: Client, workflow: Workflow) -> dict[str, Any]:
    """What the page hands to its script."""
    html = client.get(reverse("celesta_console:design", args=[workflow.pk])).content.decode()
    found = re.search(
        r'<script id="visual-editor-data" type="application/json">(.*?)</script>', html
    )
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def post(client: Client, name: str, workflow: Workflow | None = None, **form: Any) -> Any:
    address = reverse(f"celesta_console:{name}", args=[workflow.pk] if workflow else [])
    answer = client.post(address, form)
    return answer.status_code, answer.json()


def test_from_the_first_save_to_the_second_version(author: Client, workspace: Workspace) -> None:
    status, made = post(author, "draft-new", source=BROKEN, workspace=workspace.slug)
    assert status == 201
    workflow = Workflow.objects.get(pk=made["id"])
    assert (workflow.draft, workflow.draft_revision) == (BROKEN, made["revision"])

    status, refused = post(author, "draft-publish", workflow, source=BROKEN, base=made["revision"])
    assert status == 422
    assert {"unknown_need", "cyclic_dependency"} <= {p["code"] for p in refused["problems"]}

    # The text was kept all the same: the page goes on from what is there now.
    base = told(author, workflow)["revision"]
    status, published = post(author, "draft-publish", workflow, source=GOOD, base=base, note="One")
    assert (status, published["version"], published["created"]) == (200, 1, True)
    workflow.refresh_from_db()
    assert workflow.draft == ""
    assert workflow.versions.get().note == "One"
    assert told(author, workflow)["revision"] == published["revision"]


def test_the_second_save_is_told_who_was_first(
    author: Client, client_of: Callable[[str], Client], version: WorkflowVersion
) -> None:
    workflow = version.workflow
    base = told(author, workflow)["revision"]
    theirs = version.source + "# theirs\n"
    assert post(client_of("admin"), "draft", workflow, source=theirs, base=base)[0] == 200

    for name in ("draft", "draft-publish"):
        status, refused = post(author, name, workflow, source=GOOD, base=base)
        assert (status, refused["code"]) == (409, "draft_changed")
        assert refused["theirs"]["source"] == theirs
        assert refused["theirs"]["by"]
        assert refused["theirs"]["at"]
    workflow.refresh_from_db()
    assert workflow.draft == theirs
    assert workflow.versions.count() == 1


def test_publishing_elsewhere_counts_as_a_change(author: Client, version: WorkflowVersion) -> None:
    workflow = version.workflow
    base = told(author, workflow)["revision"]
    publishing.publish(workflow.workspace, version.source + "description: Newer\n", by=None)
    status, _ = post(author, "draft", workflow, source=version.source + "# mine\n", base=base)
    assert status == 409


def test_publishing_the_draft_by_the_api_empties_it(version: WorkflowVersion) -> None:
    workflow = version.workflow
    text = version.source + "description: Newer\n"
    drafts.save(workflow, text, drafts.opened(workflow).revision, by=None)
    publishing.publish(workflow.workspace, text, by=None)
    workflow.refresh_from_db()
    assert workflow.draft == ""
    assert drafts.opened(workflow).text == text


def test_what_no_database_takes_is_refused(author: Client, version: WorkflowVersion) -> None:
    status, refused = post(author, "draft", version.workflow, source="workflow: a\x00b\n", base=1)
    assert status == 400
    assert refused["detail"]


def test_without_the_built_pages_the_text_editor_opens(
    author: Client, version: WorkflowVersion, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(pages, "BUILT", tmp_path)
    answer = author.get(reverse("celesta_console:design", args=[version.workflow_id]))
    assert answer["Location"] == reverse("celesta_console:edit", args=[version.workflow_id])
    answer = author.get(reverse("celesta_console:design-new"))
    assert answer["Location"] == reverse("celesta_console:workflow-new")


def test_any_two_versions_are_compared(author: Client, version: WorkflowVersion) -> None:
    workflow = version.workflow
    changed = version.source.replace("workflow:", "title: Newer\nworkflow:", 1)
    if "title:" in version.source:
        changed = version.source + "description: Newer\n"
    for text in (changed, changed + "timeout: 2h\n"):
        publishing.publish(workflow.workspace, text, by=None)
    address = reverse("celesta_console:compare", args=[workflow.pk])
    answer = author.get(address, {"before": 3, "after": 1})
    assert answer["Location"] == reverse("celesta_console:diff", args=[workflow.pk, 3, 1])
    html = author.get(answer["Location"]).content.decode()
    assert 'id="visual-diff-data"' in html
    assert "-timeout: 2h" in html
    assert author.get(address, {"before": 1, "after": 9}).status_code == 404


def test_a_version_older_than_those_to_choose_from_stays_chosen(
    author: Client, version: WorkflowVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "ROWS", 2)
    for minutes in (11, 12, 13):
        text = version.source.replace("timeout: 2h\n", "") + f"timeout: {minutes}m\n"
        publishing.publish(version.workflow.workspace, text, by=None)
    address = reverse("celesta_console:diff", args=[version.workflow_id, 1, 4])
    html = author.get(address).content.decode()
    assert html.count('<option value="1" selected>') == 1
    assert html.count('<option value="4" selected>') == 1
    assert '<option value="2"' not in html
