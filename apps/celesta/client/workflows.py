"""Workflows and their versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from celesta.client.parts import Json, Part
from celesta.client.parts import part_of_path as part

Format = Literal["yaml", "json", "source"]
KINDS = {"yaml": "application/yaml", "json": "application/json"}


class Workflows(Part):
    """``client.workflows``."""

    def list(self, **filters: Any) -> Iterator[Json]:
        """Workflows by name; filters are those of the API: ``q``, ``tag``, ``active``, ..."""
        return self._rows("workflows/", filters)

    def get(self, name: str) -> Json:
        """One workflow with its ``params_schema``."""
        return self._get(f"workflows/{part(name)}/")

    def validate(self, document: str, fmt: Literal["yaml", "json"] = "yaml") -> Json:
        """``{valid, checksum, problems}``: everything that is wrong with a document."""
        headers = {"Content-Type": KINDS[fmt]}
        answer = self._transport.call(
            "POST", "workflows/validate/", content=document, headers=headers
        )
        body: Json = answer.json()
        return body

    def publish(
        self, name: str, document: str, *, note: str = "", fmt: Literal["yaml", "json"] = "yaml",
        if_match: str = "",
    ) -> Json:  # fmt: skip
        """Publish a document: ``{workflow, version, created, warnings}``.

        Raises Invalid with every problem, and Conflict when ``if_match`` (an ETag) is outdated.
        """
        wrapped = {"source": document, "format": fmt, "note": note}
        headers = {"If-Match": if_match} if if_match else {}
        answer = self._transport.call(
            "PUT", f"workflows/{part(name)}/", json=wrapped, headers=headers
        )
        body: Json = answer.json()
        return body

    def versions(self, name: str) -> Iterator[Json]:
        """Versions, newest first, without their documents."""
        return self._rows(f"workflows/{part(name)}/versions/", {})

    def export(self, name: str, number: int | None = None, form: Format = "yaml") -> str:
        """The document of a version, by default the current one; raises NotFound."""
        number = number or self.get(name)["version"]
        path = f"workflows/{part(name)}/versions/{number}/"
        return self._transport.call("GET", path, query={"as": form}).text

    def verb(self, name: str, verb: Literal["activate", "deactivate", "pause", "resume"]) -> Json:
        """Take or refuse new runs; hold its schedules back or let them go on."""
        return self._post(f"workflows/{part(name)}/{verb}/")
