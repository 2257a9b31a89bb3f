"""``manage.py workflow import`` and the export of many: archives on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet

from celesta.console.management.terminal import Terminal
from celesta.workflows import archive, importing
from celesta.workflows.errors import ArchiveInvalid
from celesta.workflows.importing import Look
from celesta.workflows.models import Workflow
from celesta.workflows.unpacking import unpack


class ArchiveVerbs:
    """The verb ``import`` of the command ``workflow``, and what ``export`` does with many."""

    archive_verbs: ClassVar[dict[str, str]] = {
        "import": "import an archive of workflows, or look at it first (--dry-run)",
    }
    terminal: Terminal
    workspace: Any

    def import_arguments(self, parser: CommandParser) -> None:
        """Arguments of ``import``."""
        parser.add_argument("file", help="archive made by workflow export")
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and change nothing"
        )
        parser.add_argument(
            "--changed", choices=("draft", "publish", "skip"), default="draft",
            help="what becomes of workflows that are there in another version (default: draft)",
        )  # fmt: skip
        parser.add_argument("--only", nargs="+", metavar="NAME", help="only these workflows")
        parser.add_argument(
            "--current-only", action="store_true", help="without the versions before the last"
        )

    def do_import(
        self, *, file: str, dry_run: bool, changed: Any, only: list[str] | None,
        current_only: bool, **_: Any,
    ) -> None:  # fmt: skip
        """Exit code 1 when a workflow was, or would be, refused; the others are imported."""
        try:
            found = unpack(Path(file).read_bytes())
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except ArchiveInvalid as error:
            for problem in error.problems:
                self.terminal.problem(problem, file)
            raise CommandError(f"{error.detail} [{error.code}]; nothing was imported.") from error
        if missing := set(only or ()) - {entry.name for entry in found.workflows}:
            raise CommandError(f"{file} has no workflow {sorted(missing)[0]!r}.")
        if dry_run:
            looks = importing.preview(self.workspace, found, history=not current_only, only=only)
            self._tell([(look, _would(look, changed), look.problems) for look in looks])
            return
        taken = importing.take(
            self.workspace, found, by=None, changed=changed, history=not current_only, only=only
        )
        self._tell([(one.look, one.outcome, one.problems) for one in taken])

    def _tell(self, rows: list[tuple[Look, str, Any]]) -> None:
        if self.terminal.as_json:
            self.terminal.value([
                {
                    "name": look.name,
                    "status": look.status,
                    "outcome": outcome,
                    "versions": len(look.ahead),
                    "problems": [problem.as_dict() for problem in problems],
                }
                for look, outcome, problems in rows
            ])  # fmt: skip
        elif rows:
            cells = [[look.name, look.status, len(look.ahead), out] for look, out, _ in rows]
            self.terminal.table(["NAME", "IS", "VERSIONS", "OUTCOME"], cells)
        for look, _, problems in rows:
            for problem in problems:
                self.terminal.problem(problem, look.name)
        refused = sum(outcome == "refused" for _, outcome, _ in rows)
        if refused:
            raise CommandError(f"{refused} of {len(rows)} workflows refused.")

    def export_many(self, rows: QuerySet[Workflow], output: str | None, *, history: bool) -> None:
        """Write an archive of these workflows."""
        if output is None:
            raise CommandError("An archive needs a file to be written to: -o workflows.zip")
        content = archive.pack(rows, history=history)
        try:
            Path(output).write_bytes(content)
        except OSError as error:
            raise CommandError(f"{output} cannot be written: {error.strerror}.") from error
        self.terminal.line(f"wrote {output}: {rows.count()} workflows, {len(content):,} bytes")


def _would(look: Look, changed: str) -> str:
    """The outcome that an import would have, as far as a look can tell."""
    if look.status in ("identical", "invalid"):
        return {"identical": "unchanged", "invalid": "refused"}[look.status]
    choice = changed if look.status == "changed" else "publish"
    if choice == "publish" and not look.entry.versions:
        choice = "draft"
    return {"publish": "published", "draft": "drafted", "skip": "skipped"}[choice]
