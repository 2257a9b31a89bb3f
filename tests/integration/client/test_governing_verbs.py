"""``celesta workspace`` and ``celesta member``, over a real server."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from celesta.client import Celesta, Conflict, NotFound
from tests.integration.client.conftest import Done

# Only so that there is a test database: what the service does is committed for real.
pytestmark = pytest.mark.django_db

Call = Callable[..., Done]


def test_a_workspace_is_made_shown_and_renamed(celesta: Call, client: Celesta) -> None:
    slug = f"shop-{uuid4().hex[:8]}"
    words = ("workspace", "create", slug, "--name", "The shop", "--admin", "root", "--json")
    made = celesta(*words)
    assert (made.code, made.json["name"]) == (0, "The shop"), made.error
    again = celesta(*words)
    assert (again.code, again.json["code"]) == (1, "name_taken")

    # the token sees the one in which it acts, and no other
    assert [row["slug"] for row in celesta("workspace", "list", "--json").lines] == ["default"]
    assert "[workspace_not_found]" in celesta("workspace", "delete", slug).error
    renamed = celesta("workspace", "rename", "default", "--name", "Ours", "--json").json
    assert (renamed["slug"], renamed["name"]) == ("default", "Ours")
    assert "Ours" in celesta("workspace", "show", "default").text
    assert client.workspaces.rename("default", to="ours")["name"] == "Ours"
    assert client.workspaces.rename("ours", name="Default", to="default")["slug"] == "default"
    with pytest.raises(Conflict):
        client.workspaces.delete("default")  # it has workflows


def test_members_are_added_changed_and_removed(celesta: Call, client: Celesta) -> None:
    assert celesta("member", "add", "root", "viewer").code == 0
    assert "[user_unknown]" in celesta("member", "add", "nobody", "viewer").error
    assert celesta("member", "role", "root", "author", "--json").json["role"] == "author"
    assert celesta("member", "list").text.splitlines()[1].split() == ["root", "author"]
    assert client.members.get("default", "root")["role"] == "author"
    assert celesta("member", "remove", "root", "--workspace", "default").code == 0
    with pytest.raises(NotFound):
        client.members.get("default", "root")
