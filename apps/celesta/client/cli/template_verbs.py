"""``celesta template ...``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from celesta.client.cli.arguments import Session, Verb

COLUMNS: Final = ("name", "title", "audience", "tags", "summary")
FACTS: Final = (
    "name", "title", "audience", "tags", "summary", "description", "teaches", "change", "code",
)  # fmt: skip


def _list(session: Session) -> None:
    options = session.options
    found = session.client.templates.list(tag=options.tag, audience=options.audience)
    session.printer.rows(found, COLUMNS)


def _search(session: Session) -> None:
    words = " ".join(session.options.words)
    session.printer.rows(session.client.templates.list(q=words), COLUMNS)


def _show(session: Session) -> None:
    """What to know of it, and the document unless that goes into a file."""
    options, printer = session.options, session.printer
    template = session.client.templates.get(options.name)
    printer.facts(template, FACTS)
    if options.output:
        Path(options.output).write_text(template["source"], encoding="utf-8")
    elif not printer.as_json:
        printer.line()
        printer.text(template["source"])


def _use(session: Session) -> None:
    options = session.options
    made = session.client.templates.use(options.template, options.name)
    if session.printer.as_json:
        session.printer.value(made)
    session.printer.line(
        f"{made['name']} has a draft; next: celesta draft show {made['name']} -o FILE"
    )


def _listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tag")
    parser.add_argument("--audience", help="for these people, such as finance")


def _searching(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", metavar="WORD", help="all must occur")


def _showing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("-o", "--output", help="write the document into this file")


def _using(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("template")
    parser.add_argument("name", help="of the workflow to make, such as finance.dunning")


VERBS: Final = (
    Verb("list", "list templates", _list, _listing),
    Verb("search", "find templates by words", _search, _searching),
    Verb("show", "show a template and its document", _show, _showing),
    Verb("use", "make a workflow whose draft is the template", _use, _using),
)
