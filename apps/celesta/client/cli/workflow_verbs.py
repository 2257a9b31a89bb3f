"""``celesta workflow ...``."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, Final, Literal

from celesta.client.cli.arguments import Session, Verb, read
from celesta.client.errors import CelestaError

COLUMNS: Final = ("name", "title", "version", "active", "paused", "tags", "updated_at")
_NAME: Final = re.compile(r"""^(?:workflow|"workflow"|'workflow')\s*:\s*["']?([^\s"'#,]+)""", re.M)


def _format(file: str) -> Literal["yaml", "json"]:
    return "json" if file.endswith(".json") else "yaml"


def _name_in(text: str, file: str) -> str:
    """The name in a document, for the address; the API checks that they are equal."""
    found = _NAME.search(text) or re.search(r'"workflow"\s*:\s*"([^"]+)"', text)
    if not found:
        raise CelestaError(f"{file} does not say 'workflow: <name>'.")
    return found[1]


def _validate(session: Session) -> int:
    file = session.options.file
    told = session.client.workflows.validate(read(file), _format(file))
    if session.printer.as_json:
        session.printer.value(told)
    else:
        for problem in told["problems"]:
            session.printer.problem(problem, file)
        session.printer.line("valid" if told["valid"] else "not valid")
    return 0 if told["valid"] else 1


def _publish(session: Session) -> None:
    for file in session.options.files:
        session.options.file = file  # problems are told with its name
        text = read(file)
        made = session.client.workflows.publish(
            _name_in(text, file), text, note=session.options.note, fmt=_format(file)
        )
        if session.printer.as_json:
            session.printer.value(made)
            continue
        for problem in made["warnings"]:
            session.printer.problem(problem, file)
        number = made["version"]["number"]
        told = "published as" if made["created"] else "is already"
        session.printer.line(f"{made['workflow']['name']} {told} version {number}")


def _list(session: Session) -> None:
    found = session.client.workflows.list(q=session.options.q, tag=session.options.tag)
    session.printer.rows(found, COLUMNS)


def _show(session: Session) -> None:
    workflow = session.client.workflows.get(session.options.name)
    session.printer.facts(workflow)
    if not session.printer.as_json:
        session.printer.line()
        names = ("number", "note", "created_by", "created_at", "checksum")
        session.printer.rows(session.client.workflows.versions(session.options.name), names)


def _export(session: Session) -> None:
    options = session.options
    text = session.client.workflows.export(options.name, options.version, options.format)
    if options.output in (None, "-"):
        session.printer.text(text)
    else:
        Path(options.output).write_text(text, encoding="utf-8")
        session.printer.line(f"written to {options.output}")


def _verb(name: Any) -> Any:
    def carry_out(session: Session) -> None:
        session.printer.facts(session.client.workflows.verb(session.options.name, name), COLUMNS)

    return carry_out


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="YAML or JSON (.json); - is standard input")


def _files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="YAML or JSON (.json); - too")
    parser.add_argument("--note", default="", help="why, for the list of versions")


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")


def _listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", help="part of a name or title")
    parser.add_argument("--tag")


def _exporting(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    parser.add_argument("--version", type=int, help="by default the current one")
    parser.add_argument("--format", choices=("yaml", "json", "source"), default="yaml")
    parser.add_argument("-o", "--output", help="a file; by default standard output")


VERBS: Final = (
    Verb("validate", "check a document, publish nothing", _validate, _file),
    Verb("publish", "publish documents", _publish, _files),
    Verb("import", "the same: publish documents", _publish, _files),
    Verb("list", "list workflows", _list, _listing),
    Verb("show", "show a workflow and its versions", _show, _name),
    Verb("export", "write a version's document", _export, _exporting),
    Verb("activate", "take new runs", _verb("activate"), _name),
    Verb("deactivate", "refuse new runs", _verb("deactivate"), _name),
    Verb("pause", "hold its schedules back", _verb("pause"), _name),
    Verb("resume", "let its schedules go on", _verb("resume"), _name),
)
