"""``celesta workflow ...``."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, Final, Literal

from celesta.client.cli.arguments import Session, Verb, params, read
from celesta.client.errors import CelestaError

COLUMNS: Final = ("name", "title", "version", "active", "paused", "tags", "updated_at")
STEPS: Final = ("wave", "name", "type", "queue", "fate", "reason")
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
        session.printer.published(made, file)


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


def _dry_run(session: Session) -> int:
    """Exit code 1 when a node would fail."""
    options, workflows = session.options, session.client.workflows
    if bool(options.name) == bool(options.file):
        raise CelestaError("Name a workflow, or a document with --file.")
    if options.file:
        given = params(options.params, options.p, {})
        told = workflows.dry_run_document(read(options.file), given)
    else:
        schema = workflows.get(options.name)["params_schema"] if options.p else {}
        given = params(options.params, options.p, schema)
        told = workflows.dry_run(options.name, given, version=options.version)
    if session.printer.as_json:
        session.printer.value(told)
    else:
        for problem in told["warnings"]:
            session.printer.problem(problem, options.file or "")
        session.printer.rows(told["nodes"], STEPS)
    return int(any(node["fate"] == "fails" for node in told["nodes"]))


def _diff(session: Session) -> None:
    """What was done to the older version, as text."""
    options = session.options
    told = session.client.workflows.diff(options.name, options.version, options.against)
    if session.printer.as_json:
        session.printer.value(told)
    else:
        session.printer.text(told["text"])


def _restore(session: Session) -> None:
    made = session.client.workflows.restore(session.options.name, session.options.version)
    session.printer.published(made)


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


def _version(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    parser.add_argument("version", type=int, metavar="VERSION")


def _rehearsing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?")
    parser.add_argument("--file", help="a document instead; - is standard input")
    parser.add_argument("-p", action="append", default=[], metavar="NAME=VALUE", help="a param")
    parser.add_argument("--params", metavar="JSON")
    parser.add_argument("--version", type=int, help="by default the current one")


def _comparing(parser: argparse.ArgumentParser) -> None:
    _version(parser)
    parser.add_argument("--against", type=int, metavar="VERSION", help="by default the one before")


VERBS: Final = (
    Verb("validate", "check a document, publish nothing", _validate, _file),
    Verb("publish", "publish documents", _publish, _files),
    Verb("import", "the same: publish documents", _publish, _files),
    Verb("list", "list workflows", _list, _listing),
    Verb("show", "show a workflow and its versions", _show, _name),
    Verb("export", "write a version's document", _export, _exporting),
    Verb("dry-run", "say what a run would do, without starting it", _dry_run, _rehearsing),
    Verb("diff", "say what changed between two versions", _diff, _comparing),
    Verb("restore", "publish an older version again, as the newest", _restore, _version),
    Verb("activate", "take new runs", _verb("activate"), _name),
    Verb("deactivate", "refuse new runs", _verb("deactivate"), _name),
    Verb("pause", "hold its schedules back", _verb("pause"), _name),
    Verb("resume", "let its schedules go on", _verb("resume"), _name),
)
