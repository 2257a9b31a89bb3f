"""Entity tags: nothing is sent twice, and nothing is overwritten unseen."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.api.conftest import DOCUMENT, Api, problem_of

ADDRESS = "workflows/orders.fulfil/"
CHANGED = DOCUMENT.replace("Fulfil an order", "Fulfil it")


def test_an_unchanged_workflow_is_not_sent_again(api: Api, published: Any) -> None:
    seen = api.get(ADDRESS).headers["ETag"]

    again = api.get(ADDRESS, If_None_Match=seen)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", seen)
    assert api.get(ADDRESS, If_None_Match=f'"other", W/{seen}').status_code == 304
    assert api.get(ADDRESS, If_None_Match='"other"').status_code == 200
    api.post(ADDRESS + "pause/")
    assert api.get(ADDRESS, If_None_Match=seen).status_code == 200


@pytest.mark.parametrize(("method", "address"), [("put", ADDRESS), ("post", f"{ADDRESS}versions/")])
def test_the_second_of_two_authors_is_told(
    api: Api, published: Any, method: str, address: str
) -> None:
    seen = api.get(ADDRESS).headers["ETag"]
    publish = getattr(api, method)

    assert publish(address, CHANGED, If_Match=seen).status_code == 201
    problem_of(publish(address, DOCUMENT, If_Match=seen), 412, "precondition_failed")

    assert api.get(ADDRESS).json()["version"] == 2  # nothing was overwritten
    now = api.get(ADDRESS).headers["ETag"]
    assert publish(address, DOCUMENT, If_Match=f'"x", {now}').status_code == 201
    assert publish(address, CHANGED).status_code == 201  # who demands nothing is not held up


def test_what_is_not_there_matches_nothing(api: Api) -> None:
    problem_of(api.put(ADDRESS, DOCUMENT, If_Match="*"), 412, "precondition_failed")
    assert api.get(ADDRESS).status_code == 404
    assert api.put(ADDRESS, DOCUMENT).status_code == 201
    assert api.put(ADDRESS, CHANGED, If_Match="*").status_code == 201


@pytest.mark.parametrize("form", ["detail", "yaml", "json", "source"])
def test_a_version_has_a_strong_tag_for_each_form(api: Api, published: Any, form: str) -> None:
    address = f"{ADDRESS}versions/1/?as={form}"
    seen = api.get(address).headers["ETag"]

    assert seen == f'"{published["version"]["checksum"]}-{form}"'
    assert api.get(address, If_None_Match=seen).status_code == 304
    assert api.get(address, If_None_Match='"x"').status_code == 200


NIGHTLY = {"name": "nightly", "workflow": "orders.fulfil", "every": 60, "params": {"order_id": 1}}


@pytest.fixture
def variable(api: Api) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Its address, and two bodies for it."""
    assert api.post("variables/", {"name": "url", "value": 1}).status_code == 201
    return "variables/url/", {"value": 2}, {"value": 3}


@pytest.fixture
def schedule(api: Api, published: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """The same of a schedule."""
    made = api.post("schedules/", NIGHTLY)
    return f"schedules/{made.json()['id']}/", {**NIGHTLY, "every": 90}, {**NIGHTLY, "jitter": 5}


@pytest.mark.parametrize("kind", ["variable", "schedule"])
def test_nobody_overwrites_what_somebody_else_has_set(
    api: Api, kind: str, request: pytest.FixtureRequest
) -> None:
    address, second, third = request.getfixturevalue(kind)
    seen = api.get(address).headers["ETag"]
    assert api.get(address, If_None_Match=seen).status_code == 304

    changed = api.put(address, second, If_Match=seen)
    assert (changed.status_code, changed.json()) == (200, api.get(address).json())
    assert changed.headers["ETag"] == api.get(address).headers["ETag"] != seen
    problem_of(api.put(address, third, If_Match=seen), 412, "precondition_failed")
    assert api.get(address).json() == changed.json()
    assert api.get(address, If_None_Match=seen).status_code == 200

    listed = f'"x-y", {changed.headers["ETag"]}'
    assert api.put(address, third, If_Match=listed).status_code == 200
    assert api.put(address, second, If_Match="*").status_code == 200
    assert api.put(address, third).status_code == 200  # who demands nothing is not held up
    api.delete(address)
    problem_of(api.put(address, third, If_Match=seen), 404, "not_found")


def test_what_a_schedule_does_by_itself_outdates_nobody(
    api: Api, schedule: tuple[str, dict[str, Any], dict[str, Any]]
) -> None:
    address, second, _ = schedule
    seen = api.get(address).headers["ETag"]
    api.post(f"{address}pause/")  # held back, and so without a next start

    assert api.get(address, If_None_Match=seen).status_code == 200
    assert api.put(address, second, If_Match=seen).status_code == 200


def test_two_at_once_are_told_apart_by_the_lock(
    api: Api, variable: tuple[str, dict[str, Any], dict[str, Any]]
) -> None:
    """The row that is compared is read for update, in the transaction that writes it."""
    address, second, _ = variable
    seen = api.get(address).headers["ETag"]
    with CaptureQueriesContext(connection) as asked:
        assert api.put(address, second, If_Match=seen).status_code == 200
    reads = [q["sql"] for q in asked if 'FROM "celesta_variable"' in q["sql"]]
    assert ["FOR NO KEY UPDATE" in sql for sql in reads] == [True]
