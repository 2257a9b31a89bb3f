"""Variables of the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celesta.client.errors import NotFound
from celesta.client.parts import Json, Part
from celesta.client.parts import part_of_path as part


class Variables(Part):
    """``client.variables``."""

    def list(self) -> Iterator[Json]:
        """Variables by name."""
        return self._rows("variables/", {})

    def get(self, name: str) -> Json:
        """One variable with its value; its ``etag`` is for ``set``."""
        return self._get_tagged(f"variables/{part(name)}/")

    def set(
        self, name: str, value: Any, description: str | None = None, *, if_match: str = ""
    ) -> Json:
        """Give a variable a value, any JSON; it is made if need be.

        Its description stays as it is unless one is given. Raises Conflict, and changes nothing,
        when somebody changed it after ``if_match`` was read; NotFound when it is gone.
        """
        try:
            kept = self.get(name)["description"]
        except NotFound:
            if if_match:
                raise
            body = {"name": name, "value": value, "description": description or ""}
            return self._post("variables/", body)
        body = {"value": value, "description": kept if description is None else description}
        return self._put_tagged(f"variables/{part(name)}/", body, if_match)

    def delete(self, name: str) -> None:
        """Delete a variable; documents that read it can no longer be published."""
        self._transport.call("DELETE", f"variables/{part(name)}/")
