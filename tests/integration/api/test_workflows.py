"""Workflows over the API: from a document to versions and back."""

from typing import Any

import pytest

from celesta.workflows.models import Workflow, WorkflowVersion
from tests.integration.api.conftest import DOCUMENT, Api, problem_of

CHANGED = DOCUMENT.replace("Fulfil an order", "Fulfil it").replace(
    'with: {output: "{{ nodes.fetch.output }}"}', "with: {output: 7}"
)
FIVE_FAULTS = """\
workflow: broken
nodes:
  a: {type: transform, needs: [b], with: {output: 1}}
  b: {type: transform, needs: [a], with: {output: 1}}
  c: {type: no_such_type}
  d: {type: transform, needs: [nobody], with: {output: 1}}
  e: {type: transform, neds: [a], with: {output: 1}}
  f: {type: transform, retry: {attempts: many}, with: {output: 1}}
"""


def test_a_document_in_yaml_becomes_a_workflow(api: Api) -> None:
    made = api.post("workflows/", DOCUMENT)

    assert made.status_code == 201
    assert made.json()["created"] is True
    assert made.json()["version"]["number"] == 1
    shown = api.get("workflows/orders.fulfil/").json()
    assert shown["title"] == "Fulfil an order"
    assert shown["tags"] == ["shop"]
    assert shown["active"] is True
    assert shown["version"] == 1
    assert shown["params_schema"]["required"] == ["order_id"]


@pytest.mark.parametrize("note", ["a\0b", "n" * 501])
def test_a_note_that_cannot_be_kept_is_refused(api: Api, note: str) -> None:
    body = {"source": DOCUMENT, "note": note}
    problem_of(api.put("workflows/orders.fulfil/", body), 400, "invalid_note")
    assert not Workflow.objects.exists()


def test_the_same_document_in_json_and_wrapped_has_the_same_checksum(api: Api) -> None:
    api.post("workflows/", DOCUMENT)
    as_json = api.get("workflows/orders.fulfil/versions/1/?as=json").json()

    again = api.post("workflows/orders.fulfil/versions/", as_json)
    wrapped = api.post("workflows/orders.fulfil/versions/", {"source": DOCUMENT, "note": "again"})

    for response in (again, wrapped):
        assert response.status_code == 200
        assert response.json()["created"] is False
        assert response.json()["version"]["number"] == 1
    assert WorkflowVersion.objects.count() == 1


def test_creating_what_exists_is_refused(api: Api, published: Any) -> None:
    problem_of(api.post("workflows/", CHANGED), 409, "workflow_exists")

    assert WorkflowVersion.objects.count() == 1


def test_a_new_version_is_current_and_the_old_one_stays(api: Api, published: Any) -> None:
    made = api.post("workflows/orders.fulfil/versions/", CHANGED)

    assert made.status_code == 201
    assert made.json()["workflow"]["version"] == 2
    assert api.get("workflows/orders.fulfil/").json()["title"] == "Fulfil it"
    numbers = [
        row["number"] for row in api.get("workflows/orders.fulfil/versions/").json()["results"]
    ]
    assert numbers == [2, 1]
    assert api.get("workflows/orders.fulfil/versions/1/").json()["source"] == DOCUMENT


def test_put_makes_and_then_changes(api: Api) -> None:
    assert api.put("workflows/orders.fulfil/", DOCUMENT).status_code == 201
    assert api.put("workflows/orders.fulfil/", DOCUMENT).status_code == 200
    assert api.put("workflows/orders.fulfil/", CHANGED).json()["version"]["number"] == 2


def test_a_document_that_names_another_workflow_is_refused(api: Api, published: Any) -> None:
    problem_of(api.put("workflows/another/", DOCUMENT), 400, "workflow_name_mismatch")

    assert not Workflow.objects.filter(name="another").exists()


def test_validate_tells_all_problems_at_once_and_publishes_nothing(api: Api) -> None:
    answer = api.post("workflows/validate/", FIVE_FAULTS)

    assert answer.status_code == 200
    assert answer.json()["valid"] is False
    paths = {problem["path"] for problem in answer.json()["problems"]}
    assert {"nodes.c.type", "nodes.d.needs[0]", "nodes.e.neds"} <= paths
    codes = {problem["code"] for problem in answer.json()["problems"]}
    assert "cyclic_dependency" in codes
    assert len(answer.json()["problems"]) >= 5
    assert not Workflow.objects.exists()


def test_validate_accepts_a_good_document(api: Api) -> None:
    answer = api.post("workflows/validate/", DOCUMENT).json()

    assert answer == {"valid": True, "checksum": answer["checksum"], "problems": []}
    made = api.post("workflows/", DOCUMENT).json()
    assert made["version"]["checksum"] == answer["checksum"]


def test_publishing_a_broken_document_is_400_with_every_error(api: Api) -> None:
    problem = problem_of(api.post("workflows/", FIVE_FAULTS), 400, "invalid_document")

    assert "cyclic_dependency" in {error["code"] for error in problem["errors"]}
    assert not Workflow.objects.exists()


def test_errors_in_a_text_say_line_and_column(api: Api) -> None:
    problem = problem_of(api.post("workflows/", FIVE_FAULTS), 400, "invalid_document")

    unknown = next(e for e in problem["errors"] if e["path"] == "nodes.c.type")
    assert (unknown["line"], unknown["column"] > 0) == (5, True)


def test_a_workflow_may_be_named_validate(api: Api) -> None:
    made = api.post("workflows/", DOCUMENT.replace("orders.fulfil", "validate"))

    assert made.status_code == 201
    assert api.get("workflows/validate/").json()["name"] == "validate"
    assert api.get("workflows/validate/versions/").status_code == 200


def test_an_inactive_workflow_refuses_runs_until_it_is_activated(api: Api, published: Any) -> None:
    start = {"params": {"order_id": 7}}
    assert api.post("workflows/orders.fulfil/deactivate/").json()["active"] is False
    problem_of(api.post("workflows/orders.fulfil/runs/", start), 409, "workflow_inactive")

    assert api.post("workflows/orders.fulfil/activate/").json()["active"] is True
    assert api.post("workflows/orders.fulfil/runs/", start).status_code == 201


@pytest.mark.parametrize("form", ["yaml", "json", "source"])
def test_what_is_exported_and_imported_is_identical(api: Api, published: Any, form: str) -> None:
    exported = api.get(f"workflows/orders.fulfil/versions/1/?as={form}").content

    again = api.post(
        "workflows/orders.fulfil/versions/", exported.decode(), Accept="application/json"
    )

    assert again.json()["created"] is False
    assert again.json()["version"]["checksum"] == published["version"]["checksum"]


def test_an_export_keeps_the_authors_order(api: Api, published: Any) -> None:
    exported = api.get("workflows/orders.fulfil/versions/1/?as=yaml").content.decode()

    assert [line.split(":")[0] for line in exported.splitlines() if line[0] not in " -"] == [
        "workflow", "title", "tags", "params", "nodes", "output",
    ]  # fmt: skip
    assert exported.index("  fetch:") < exported.index("  ship:")


def test_an_export_comes_whatever_is_accepted(api: Api, published: Any) -> None:
    exported = api.get("workflows/orders.fulfil/versions/1/?as=yaml", Accept="application/yaml")

    assert exported.headers["Content-Type"].startswith("application/yaml")


def test_two_versions_are_compared(api: Api, published: Any) -> None:
    api.post("workflows/orders.fulfil/versions/", CHANGED)

    found = api.get("workflows/orders.fulfil/versions/2/diff/").json()

    assert (found["before"], found["after"]) == (1, 2)
    assert (found["added"], found["removed"], found["changed"]) == ([], [], ["ship"])
    assert "-title: Fulfil an order" in found["text"]
    assert "+title: Fulfil it" in found["text"]
    same = api.get("workflows/orders.fulfil/versions/2/diff/?against=2").json()
    assert (same["changed"], same["text"]) == ([], "")


def test_an_older_version_comes_back_as_the_newest(api: Api, published: Any) -> None:
    api.post("workflows/orders.fulfil/versions/", CHANGED)

    made = api.post("workflows/orders.fulfil/versions/1/restore/")

    assert made.status_code == 201
    assert made.json()["version"]["number"] == 3
    assert made.json()["version"]["checksum"] == published["version"]["checksum"]
    assert made.json()["version"]["note"] == "Restored from version 1"


def test_a_paused_workflow_is_started_by_hand_only_until_it_is_resumed(
    api: Api, published: Any
) -> None:
    hourly = {"name": "hourly", "workflow": "orders.fulfil", "every": 3600}
    schedule = api.post("schedules/", {**hourly, "params": {"order_id": 7}}).json()
    address = f"schedules/{schedule['id']}/"
    assert (schedule["paused"], schedule["next_at"] is None) == (False, False)

    assert api.post("workflows/orders.fulfil/pause/").json()["paused"] is True

    assert api.get("workflows/orders.fulfil/").json()["paused"] is True
    started = api.post("workflows/orders.fulfil/runs/", {"params": {"order_id": 7}})
    assert started.status_code == 201
    held = api.get(address).json()
    assert (held["enabled"], held["paused"], held["next_at"]) == (True, True, None)
    assert api.get(f"{address}next/").json() == {"slots": []}

    assert api.post("workflows/orders.fulfil/resume/").json()["paused"] is False
    assert api.get(address).json() == schedule
    assert len(api.get(f"{address}next/").json()["slots"]) == 5


def test_lists_are_searched_and_filtered(api: Api, published: Any) -> None:
    api.post("workflows/", DOCUMENT.replace("orders.fulfil", "audit").replace("[shop]", "[ops]"))
    api.post("workflows/audit/deactivate/")
    api.post("workflows/audit/pause/")

    def names(query: str) -> list[str]:
        return [row["name"] for row in api.get(f"workflows/?{query}").json()["results"]]

    assert names("") == ["audit", "orders.fulfil"]
    assert names("search=fulfil") == ["audit", "orders.fulfil"]  # the title has it too
    assert names("search=orders") == ["orders.fulfil"]
    assert names("tag=ops") == ["audit"]
    assert names("active=true") == ["orders.fulfil"]
    assert names("paused=true") == ["audit"]
    assert names("paused=false") == ["orders.fulfil"]
    problem_of(api.get("workflows/?active=perhaps"), 400, "invalid_query")
    problem_of(api.get("workflows/?paused=perhaps"), 400, "invalid_query")


def test_unknown_names_and_numbers_are_404(api: Api, published: Any) -> None:
    problem_of(api.get("workflows/nothing/"), 404, "not_found")
    problem_of(api.get("workflows/orders.fulfil/versions/9/"), 404, "not_found")
    problem_of(api.get("workflows/orders.fulfil/versions/99999999999/"), 404, "not_found")
    problem_of(api.get("workflows/orders.fulfil/versions/1/diff/"), 404, "not_found")
    problem_of(api.post("workflows/nothing/versions/", DOCUMENT), 404, "not_found")


def test_names_with_odd_characters_are_refused_with_their_path(api: Api) -> None:
    for name in ("a/b", "a b", "../etc", "<script>", "ä", "a" * 300):
        document = {"workflow": name, "nodes": {"x": {"type": "transform", "with": {"output": 1}}}}
        problem = problem_of(api.post("workflows/", document), 400, "invalid_document")
        assert problem["errors"][0]["path"] == "workflow"
