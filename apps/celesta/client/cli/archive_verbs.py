"""``celesta archive ...``: many workflows out of one Celesta and into another."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from celesta.client.cli.arguments import Session, Verb
from celesta.client.errors import CelestaError

COLUMNS: Final = ("name", "status", "outcome", "version", "versions")


def _export(session: Session) -> None:
    options = session.options
    archive = session.client.workflows.export_archive(
        name=options.names or None, tag=options.tag, history=not options.current_only
    )
    Path(options.output).write_bytes(archive)
    session.printer.line(f"written to {options.output}")


def _import(session: Session) -> int:
    """Exit code 1 when a workflow was, or would be, refused; the others are imported."""
    options = session.options
    try:
        archive = Path(options.file).read_bytes()
    except OSError as error:
        raise CelestaError(f"{options.file} cannot be read: {error.strerror}.") from error
    told = session.client.workflows.import_archive(
        archive, preview=options.preview, changed=options.changed, name=options.only,
        history=not options.current_only,
    )  # fmt: skip
    rows = told["workflows"]
    session.printer.rows(rows, COLUMNS)
    if not session.printer.as_json:
        for problem in [found for row in rows for found in row["problems"]]:
            session.printer.problem(problem, options.file)
    return int(any(row["outcome"] == "refused" or row["status"] == "invalid" for row in rows))


def _current(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--current-only", action="store_true", help="without the versions before the last"
    )


def _exporting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="by default all workflows")
    parser.add_argument("--tag", help="only workflows with this tag")
    parser.add_argument("-o", "--output", required=True, metavar="FILE")
    _current(parser)


def _importing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="an archive made by an export")
    parser.add_argument("--preview", action="store_true", help="change nothing, say what would be")
    parser.add_argument(
        "--changed", choices=("draft", "publish", "skip"), default="draft",
        help="what becomes of workflows that are there in another version (default: draft)",
    )  # fmt: skip
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these workflows")
    _current(parser)


VERBS: Final = (
    Verb("export", "write workflows into one zip", _export, _exporting),
    Verb("import", "take workflows from such a zip, or look at it first", _import, _importing),
)
