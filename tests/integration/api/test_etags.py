"""Entity tags: nothing is sent twice, and nothing is overwritten unseen."""

from typing import Any

import pytest

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
