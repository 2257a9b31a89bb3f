"""Drafts over the API: kept whatever is wrong with them, and never overwritten unseen."""

from collections.abc import Callable
from typing import Any

import pytest

from celesta.access.models import Role
from celesta.workflows import drafts
from celesta.workflows.models import Workflow
from tests.integration.api.conftest import DOCUMENT, Api, problem_of

ADDRESS = "workflows/orders.fulfil/draft/"
CHANGED = DOCUMENT.replace("Fulfil an order", "Fulfil it")
BROKEN = DOCUMENT.replace("needs: [fetch]", "needs: [ftech]")


def test_from_a_broken_draft_to_the_second_version(api: Api, published: Any) -> None:
    before = api.get(ADDRESS)
    assert before.json()["kept"] is False
    assert before.json()["source"] == DOCUMENT

    saved = api.put(ADDRESS, BROKEN, If_Match=before.headers["ETag"])
    assert (saved.status_code, saved.json()["kept"]) == (200, True)
    assert saved.json()["source"] == BROKEN
    assert saved.json()["saved_by"] == "admin-of-default"
    assert api.get("workflows/orders.fulfil/").json()["version"] == 1  # nothing runs it

    refused = problem_of(api.post(f"{ADDRESS}publish/"), 400, "invalid_document")
    assert refused["errors"][0]["code"] == "unknown_need"
    assert api.get(ADDRESS).json()["source"] == BROKEN

    saved = api.put(ADDRESS, {"source": CHANGED}, If_Match=saved.headers["ETag"])
    made = api.post(f"{ADDRESS}publish/", {"note": "kinder"}, If_Match=saved.headers["ETag"])
    assert made.status_code == 201, made.content
    assert (made.json()["version"]["number"], made.json()["version"]["note"]) == (2, "kinder")
    assert api.get(ADDRESS).json()["kept"] is False

    again = api.post(f"{ADDRESS}publish/")
    assert (again.status_code, again.json()["created"]) == (200, False)


@pytest.mark.parametrize("verb", ["put", "delete", "publish"])
def test_the_second_of_two_authors_is_told_and_nothing_is_overwritten(
    api: Api, caller: Callable[..., Api], published: Any, verb: str
) -> None:
    seen = api.get(ADDRESS).headers["ETag"]
    theirs = caller(Role.AUTHOR).put(ADDRESS, CHANGED, If_Match=seen)
    assert theirs.status_code == 200

    late = {
        "put": lambda: api.put(ADDRESS, BROKEN, If_Match=seen),
        "delete": lambda: api.delete(ADDRESS, If_Match=seen),
        "publish": lambda: api.post(f"{ADDRESS}publish/", If_Match=seen),
    }[verb]()
    told = problem_of(late, 412, "precondition_failed")
    assert "author-of-default" in told["detail"]
    now = api.get(ADDRESS)
    assert (now.json()["source"], now.headers["ETag"]) == (CHANGED, theirs.headers["ETag"])
    assert api.get("workflows/orders.fulfil/").json()["version"] == 1


def test_a_save_that_comes_between_is_not_overwritten(
    api: Api, published: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given another author who saves after this one's tag was found to be the newest.
    usual = drafts.save

    def overtaken(workflow: Workflow, text: str, revision: int, **more: Any) -> int:
        usual(workflow, CHANGED, revision, by=None)
        return usual(workflow, text, revision, **more)

    monkeypatch.setattr(drafts, "save", overtaken)
    seen = api.get(ADDRESS).headers["ETag"]
    problem_of(api.put(ADDRESS, BROKEN, If_Match=seen), 412, "precondition_failed")
    assert api.get(ADDRESS).json()["source"] == CHANGED


def test_whoever_has_read_nothing_overwrites_nothing(api: Api, published: Any) -> None:
    assert api.put(ADDRESS, CHANGED).status_code == 200  # there was no draft to be lost
    assert api.put(ADDRESS, CHANGED).status_code == 200  # nor is by the same text
    problem_of(api.put(ADDRESS, BROKEN), 428, "precondition_required")
    assert api.get(ADDRESS).json()["source"] == CHANGED

    assert api.put(ADDRESS, BROKEN, If_Match="*").status_code == 200
    assert api.get(ADDRESS).json()["source"] == BROKEN


def test_a_workflow_begins_as_a_draft_and_goes_with_it(api: Api) -> None:
    problem_of(api.put(ADDRESS, BROKEN, If_Match="*"), 412, "precondition_failed")
    made = api.put(ADDRESS, BROKEN)
    assert made.status_code == 201
    assert api.get("workflows/orders.fulfil/").json()["version"] is None

    # The address names the workflow: a text with another name does not move it.
    renamed = CHANGED.replace("orders.fulfil", "orders.other")
    saved = api.put(ADDRESS, renamed, If_Match=made.headers["ETag"])
    assert saved.json()["workflow"] == "orders.fulfil"
    problem_of(api.post(f"{ADDRESS}publish/"), 400, "workflow_name_mismatch")

    assert api.delete(ADDRESS, If_Match=saved.headers["ETag"]).status_code == 204
    problem_of(api.get(ADDRESS), 404, "not_found")


def test_a_draft_to_which_a_schedule_belongs_is_not_thrown_away(api: Api) -> None:
    """An author would delete what operators made, unseen."""
    assert api.put(ADDRESS, BROKEN).status_code == 201
    nightly = {"name": "nightly", "workflow": "orders.fulfil", "every": 3600, "timezone": "UTC"}
    made = api.post("schedules/", nightly)
    assert made.status_code == 201, made.content

    problem_of(api.delete(ADDRESS), 409, "workflow_scheduled")
    assert api.get(ADDRESS).json()["source"] == BROKEN
    assert api.get(f"schedules/{made.json()['id']}/").status_code == 200

    assert api.delete(f"schedules/{made.json()['id']}/").status_code == 204
    assert api.delete(ADDRESS).status_code == 204
    problem_of(api.get(ADDRESS), 404, "not_found")


def test_a_published_workflow_outlives_its_draft(api: Api, published: Any) -> None:
    saved = api.put(ADDRESS, CHANGED)
    assert api.delete(ADDRESS, If_Match=saved.headers["ETag"]).status_code == 204
    assert api.get(ADDRESS).json()["source"] == DOCUMENT
    assert api.delete(ADDRESS).status_code == 204  # nothing is left to throw away


def test_an_unchanged_draft_is_not_sent_again(api: Api, published: Any) -> None:
    seen = api.get(ADDRESS).headers["ETag"]
    assert api.get(ADDRESS, If_None_Match=seen).status_code == 304
    api.put(ADDRESS, CHANGED)
    assert api.get(ADDRESS, If_None_Match=seen).status_code == 200


def test_what_was_saved_is_never_said_to_be_unchanged(api: Api, published: Any) -> None:
    seen = api.get(ADDRESS).headers["ETag"]
    saved = api.put(ADDRESS, CHANGED, If_Match=seen, If_None_Match="*")
    assert (saved.status_code, saved.json()["source"]) == (200, CHANGED)


def test_what_cannot_be_kept_is_refused(api: Api) -> None:
    problem_of(api.put("workflows/-no-/draft/", DOCUMENT), 400, "invalid_document")
    problem_of(api.put(ADDRESS, {"source": "a\x00b"}), 400, "malformed_body")
    problem_of(api.put(ADDRESS), 400, "malformed_body")
    assert not Workflow.objects.exists()
