"""Templates: documents to begin with."""

from __future__ import annotations

from typing import Any

from celesta.client.parts import Json, Part, asked
from celesta.client.parts import part_of_path as part


class Templates(Part):
    """``client.templates``."""

    def list(self, **filters: Any) -> list[Json]:
        """Templates by audience and title; ``q`` (words), ``tag`` and ``audience`` filter."""
        answer = self._transport.call("GET", "templates/", query=asked(filters))
        rows: list[Json] = answer.json()
        return rows

    def get(self, name: str) -> Json:
        """One template with its ``source``, its graph, and what to ``change`` first."""
        return self._get(f"templates/{part(name)}/")

    def use(self, template: str, name: str) -> Json:
        """Make a workflow of this name, whose draft is the template; nothing is published."""
        return self._post(f"templates/{part(template)}/use/", {"name": name})
