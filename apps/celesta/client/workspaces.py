"""Workspaces, and who belongs to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from celesta.client.parts import Json, Part
from celesta.client.parts import part_of_path as part


class Workspaces(Part):
    """``client.workspaces``."""

    def list(self) -> Iterator[Json]:
        """The workspaces that the token sees, by slug, with its ``role`` in each."""
        return self._rows("workspaces/", {})

    def get(self, slug: str) -> Json:
        """One workspace."""
        return self._get(f"workspaces/{part(slug)}/")

    def create(self, slug: str, name: str, members: Mapping[str, str] | None = None) -> Json:
        """A new workspace, for a superuser's token; ``members`` are roles by names of users."""
        body = {"slug": slug, "name": name, "members": dict(members or {})}
        return self._post("workspaces/", body)

    def rename(self, slug: str, *, name: str | None = None, to: str | None = None) -> Json:
        """Give it another name, another slug (``to``), or both."""
        body = {"slug": to or slug, "name": self.get(slug)["name"] if name is None else name}
        return self._put(f"workspaces/{part(slug)}/", body)

    def delete(self, slug: str) -> None:
        """Delete one that has no workflows, with a superuser's token."""
        self._transport.call("DELETE", f"workspaces/{part(slug)}/")


class Members(Part):
    """``client.members``: each method begins with the slug of a workspace."""

    def list(self, workspace: str) -> Iterator[Json]:
        """``{user, role}`` of each, in the order in which they came."""
        return self._rows(f"workspaces/{part(workspace)}/members/", {})

    def get(self, workspace: str, user: str) -> Json:
        """One member; raises NotFound."""
        return self._get(_member(workspace, user))

    def add(self, workspace: str, user: str, role: str) -> Json:
        """Make a user, who has an account already, a member."""
        return self._post(f"workspaces/{part(workspace)}/members/", {"user": user, "role": role})

    def change(self, workspace: str, user: str, role: str) -> Json:
        """Give a member another role."""
        return self._put(_member(workspace, user), {"role": role})

    def remove(self, workspace: str, user: str) -> None:
        """Remove a member, whose tokens there answer 401 from now on."""
        self._transport.call("DELETE", _member(workspace, user))


def _member(workspace: str, user: str) -> str:
    return f"workspaces/{part(workspace)}/members/{part(user)}/"
