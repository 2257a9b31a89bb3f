"""Workflows and their versions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from celesta.client.parts import Json, Part, asked, matching
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
        answer = self._transport.call(
            "PUT", f"workflows/{part(name)}/", json=wrapped, headers=matching(if_match)
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

    def dry_run(self, name: str, params: Json | None = None, *, version: int | None = None) -> Json:
        """What a run would do, without starting it: ``{params, waves, nodes, warnings}``."""
        body = {"params": params or {}, "version": version}
        return self._post(f"workflows/{part(name)}/dry-run/", body)

    def dry_run_document(self, document: str, params: Json | None = None) -> Json:
        """The same of a document that nobody has published."""
        return self._post("dry-run/", {"source": document, "params": params or {}})

    def diff(self, name: str, number: int, against: int | None = None) -> Json:
        """``{before, after, added, removed, changed, text}``, by default with the one before."""
        return self._get(f"workflows/{part(name)}/versions/{number}/diff/", against=against)

    def restore(self, name: str, number: int) -> Json:
        """Publish an older version again, as the newest."""
        return self._post(f"workflows/{part(name)}/versions/{number}/restore/")

    def export_archive(self, **filters: Any) -> bytes:
        """Many workflows as one zip; ``name`` (one or a list), ``tag`` and ``history`` filter."""
        query = asked(filters)
        return self._transport.call("GET", "workflows/export/", query=query).content

    def import_archive(self, archive: bytes, **options: Any) -> Json:
        """Take such a zip: ``preview``, ``changed`` (draft, publish, skip), ``name``, ``history``.

        ``{preview, workflows}``: of each workflow what it is here and what became of it.
        """
        headers = {"Content-Type": "application/zip"}
        answer = self._transport.call(
            "POST", "workflows/import/", query=asked(options), content=archive, headers=headers
        )
        body: Json = answer.json()
        return body

    def draft(self, name: str) -> Json:
        """The draft, or what is published when there is none; ``etag`` is for ``save_draft``."""
        return self._get_tagged(f"workflows/{part(name)}/draft/")

    def save_draft(self, name: str, document: str, *, if_match: str = "") -> Json:
        """Keep a draft, whatever is wrong with it; the workflow is made if need be.

        Raises Conflict, and keeps nothing, when somebody saved after ``if_match`` was read, or
        when a draft is kept and no ``if_match`` given; ``"*"`` overwrites it.
        """
        path, body = f"workflows/{part(name)}/draft/", {"source": document}
        return self._put_tagged(path, body, if_match)

    def discard_draft(self, name: str, *, if_match: str = "") -> None:
        """Throw the draft away; a workflow that was never published goes with it."""
        path = f"workflows/{part(name)}/draft/"
        self._transport.call("DELETE", path, headers=matching(if_match))

    def publish_draft(self, name: str, *, note: str = "", if_match: str = "") -> Json:
        """Publish the draft: ``{workflow, version, created, warnings}``."""
        path, body = f"workflows/{part(name)}/draft/publish/", {"note": note}
        answer = self._transport.call("POST", path, json=body, headers=matching(if_match))
        made: Json = answer.json()
        return made
