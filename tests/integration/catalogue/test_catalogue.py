"""D11: the catalogue is found by audience, tag and words, by API, page and command."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from celesta import checks
from celesta.access.models import Role, Workspace
from celesta.workflows import catalogue
from celesta.workflows.models import Workflow
from tests.integration.api.conftest import Api, problem_of
from tests.integration.cli.conftest import Result

TEMPLATE = """\
summary: Says something to somebody.
audience: operations
teaches: [greeting]
change: ["to: whom you greet"]
---
workflow: team.greet # theirs
title: Greet
tags: [greeting]
nodes:
  greet: {type: transform, with: {output: hello}}
"""


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A team's own folder with one template."""
    settings.CELESTA = {**settings.CELESTA, "TEMPLATE_FOLDERS": [str(tmp_path)]}
    (tmp_path / "greet.yaml").write_text(TEMPLATE)
    return tmp_path


def test_there_are_twenty_templates_for_five_audiences_without_any_code() -> None:
    runnable = [one for one in catalogue.everything().values() if not one.header.code]
    audiences = Counter(one.header.audience for one in runnable)
    assert len(runnable) >= 20
    assert len(audiences) >= 5
    assert min(audiences.values()) >= 2
    assert catalogue.faults() == []


def test_every_template_says_what_a_reader_needs() -> None:
    for template in catalogue.everything().values():
        name = template.name
        assert template.title, name
        assert len(template.description) > 80, name
        assert template.tags, name
        assert "#" in template.source, f"{name} has no comment that teaches"
        assert template.document["workflow"] == "templates." + name.replace("-", "_")
        assert all("title" in node for node in template.params["properties"].values()), name


def test_words_audience_and_tag_narrow_the_list() -> None:
    assert {one.header.audience for one in catalogue.find(audience="finance")} == {"finance"}
    assert all("wait" in one.tags for one in catalogue.find(tag="wait"))
    assert [one.name for one in catalogue.find(words="SAGA rotate")] == ["secret-rotation"]
    assert catalogue.find(words="no such words") == []


def test_a_template_of_a_team_is_found_and_replaces_ours(folder: Path) -> None:
    assert catalogue.get("greet").title == "Greet"
    (folder / "dunning.yaml").write_text(TEMPLATE.replace("Greet", "Our reminders"))
    assert catalogue.get("dunning").title == "Our reminders"
    (folder / "dunning.yaml").write_text(TEMPLATE.replace("Greet", "Our own reminders"))
    assert catalogue.get("dunning").title == "Our own reminders"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workflow: a\n", "a header, a line `---`, and the document"),
        (TEMPLATE.replace("audience: operations", "audience: Us!"), "header, audience"),
        (TEMPLATE.replace("teaches:", "teches:"), "header, teaches"),
        (TEMPLATE.replace("nodes:", "nodes: ["), "line"),
        (TEMPLATE.replace("workflow: team", "name: team"), "a line that begins with `workflow:`"),
    ],
)
def test_a_faulty_template_is_left_out_and_named_by_a_check(
    folder: Path, text: str, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "faulty.yaml").write_text(text)
    with caplog.at_level(logging.WARNING):
        assert "faulty" not in catalogue.everything()
    assert "faulty.yaml" in caplog.text
    assert "greet" in catalogue.everything()
    (warning,) = checks.templates_can_be_read()
    assert warning.id == "celesta.W005"
    assert "faulty.yaml" in str(warning.msg)
    if told != "line":
        assert told in str(warning.msg)


def test_a_folder_that_is_not_there_is_named(settings: Settings) -> None:
    settings.CELESTA = {**settings.CELESTA, "TEMPLATE_FOLDERS": ["/no/such/folder"]}
    (warning,) = checks.templates_can_be_read()
    assert "/no/such/folder is not a folder" in str(warning.msg)


def test_using_one_makes_a_draft_with_its_comments(workspace: Workspace, folder: Path) -> None:
    made = catalogue.use(workspace, catalogue.get("greet"), "our.greeting", by=None)
    assert made.current is None
    assert made.draft == TEMPLATE.partition("---\n")[2].replace(
        "workflow: team.greet # theirs", "workflow: our.greeting"
    )
    assert catalogue.use(workspace, catalogue.get("greet"), "12", by=None).draft.startswith(
        "workflow: '12'\n"
    )


# --- The API ---


def test_the_api_lists_filters_and_reads(api: Api) -> None:
    listed = api.get("templates/").json()
    assert len(listed) == len(catalogue.everything())
    found = api.get("templates/?audience=finance&tag=wait&q=reminder").json()
    assert [one["name"] for one in found] == ["dunning"]
    assert found[0].keys() == {
        "name", "title", "summary", "audience", "tags", "teaches", "code",
    }  # fmt: skip
    detail = api.get("templates/dunning/").json()
    assert detail["source"].startswith("workflow: templates.dunning")
    assert detail["document"]["workflow"] == "templates.dunning"
    assert {"source": "overdue", "target": "letters", "rule": "all_success"} in detail["graph"][
        "edges"
    ]
    assert "invoices" in detail["params_schema"]["properties"]
    assert detail["change"]
    problem_of(api.get("templates/nothing/"), 404, "template_unknown")


def test_the_api_makes_a_workflow_of_one(api: Api) -> None:
    made = api.post("templates/dunning/use/", {"name": "finance.dunning"})
    assert (made.status_code, made.json()["name"], made.json()["version"]) == (
        201, "finance.dunning", None,
    )  # fmt: skip
    assert Workflow.objects.get().draft.startswith("workflow: finance.dunning\n")
    problem_of(
        api.post("templates/dunning/use/", {"name": "finance.dunning"}), 409, "workflow_exists"
    )
    wrong = api.post("templates/dunning/use/", {"name": "Finance: dunning"})
    assert problem_of(wrong, 400, "invalid_document")["errors"][0]["code"] == "invalid_name"
    assert problem_of(api.post("templates/dunning/use/", {}), 400, "invalid_input")["errors"][0][
        "path"
    ] == "name"  # fmt: skip


def test_a_viewer_reads_and_makes_nothing(caller: Callable[..., Api]) -> None:
    viewer = caller(Role.VIEWER)
    assert viewer.get("templates/").status_code == 200
    problem_of(viewer.post("templates/dunning/use/", {"name": "x"}), 403, "role_too_low")
    assert not Workflow.objects.exists()


# --- The pages ---


def test_cards_can_be_searched_without_javascript(client_of: Callable[[str], Client]) -> None:
    client = client_of("viewer")
    every = client.get(reverse("celesta_console:templates"))
    assert every.content.count(b'<li class="card">') == len(catalogue.everything())
    assert b"<svg" in every.content
    some = client.get(reverse("celesta_console:templates"), {"search": "reminder"})
    assert b"Remind of overdue invoices" in some.content
    assert b"Load a paged API" not in some.content
    none = client.get(reverse("celesta_console:templates"), {"tag": "nothing"})
    assert b"No template is like that" in none.content


def test_a_page_tells_all_and_its_form_leads_to_the_editor(
    client_of: Callable[[str], Client],
) -> None:
    where = reverse("celesta_console:template", args=["order-fulfilment"])
    shown = client_of("author").get(where).content.decode()
    for text in ("Fulfil an order", "examples.catalogue.shop", "idempotency keys", "order_id"):
        assert text in shown
    assert "Make the workflow" not in client_of("viewer").get(where).content.decode()
    made = client_of("author").post(where, {"name": "shop.fulfil"})
    workflow = Workflow.objects.get(name="shop.fulfil")
    assert made["Location"] == reverse("celesta_console:edit", args=[workflow.pk])
    assert b"shop.fulfil" in client_of("author").get(made["Location"]).content
    again = client_of("author").post(where, {"name": "shop.fulfil"})
    assert (again.status_code, b"choose another name" in again.content) == (400, True)
    wrong = client_of("author").post(where, {"name": "No good"})
    assert (wrong.status_code, b"small letters" in wrong.content) == (400, True)


def test_an_empty_list_of_workflows_leads_to_the_catalogue(
    client_of: Callable[[str], Client],
) -> None:
    page = client_of("author").get(reverse("celesta_console:workflows")).content.decode()
    assert "No workflow yet" in page
    assert reverse("celesta_console:templates") in page


# --- The command ---


def test_the_command_lists_and_begins(manage: Callable[..., Result]) -> None:
    listed = manage("workflow", "templates", "--audience", "finance", "--search", "reminder")
    lines = listed.text.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "dunning"]
    as_json: list[dict[str, Any]] = manage("workflow", "templates", "--tag", "saga", "--json").json
    assert {"secret-rotation", "order-fulfilment"} <= {row["name"] for row in as_json}
    begun = manage("workflow", "new", "finance.dunning", "--template", "dunning")
    assert "made finance.dunning with a draft" in begun.text
    assert "  - invoices: read them from your books" in begun.text
    assert Workflow.objects.get().draft.startswith("workflow: finance.dunning\n")
    assert manage("workflow", "new", "x", "--template", "nothing").code == 1
