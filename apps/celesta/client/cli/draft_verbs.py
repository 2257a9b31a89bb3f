"""``celesta draft ...``: the text that an author works on, until it is published."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from celesta.client.cli.arguments import Session, Verb, matching, read

COLUMNS: Final = ("workflow", "kept", "revision", "saved_by", "saved_at", "etag")


def _show(session: Session) -> None:
    """The text itself, or who saved it and its ETag when the text goes into a file."""
    draft = session.client.workflows.draft(session.options.name)
    if session.options.output:
        Path(session.options.output).write_text(draft["source"], encoding="utf-8")
        session.printer.facts(draft, COLUMNS)
    elif session.printer.as_json:
        session.printer.value(draft)
    else:
        session.printer.text(draft["source"])


def _save(session: Session) -> None:
    options = session.options
    tag = "*" if options.overwrite else options.if_match
    saved = session.client.workflows.save_draft(options.name, read(options.file), if_match=tag)
    session.printer.facts(saved, COLUMNS)


def _discard(session: Session) -> None:
    session.client.workflows.discard_draft(session.options.name, if_match=session.options.if_match)
    session.printer.line(f"discarded the draft of {session.options.name}")


def _publish(session: Session) -> None:
    options = session.options
    made = session.client.workflows.publish_draft(
        options.name, note=options.note, if_match=options.if_match
    )
    session.printer.published(made)


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")


def _showing(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    parser.add_argument("-o", "--output", help="write the text into this file")


def _matching(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    matching(parser)


def _saving(parser: argparse.ArgumentParser) -> None:
    _matching(parser)
    parser.add_argument("file", help="the text, whatever is wrong with it; - is standard input")
    parser.add_argument("--overwrite", action="store_true", help="whatever is kept now")


def _publishing(parser: argparse.ArgumentParser) -> None:
    _matching(parser)
    parser.add_argument("--note", default="", help="why, for the list of versions")


VERBS: Final = (
    Verb("show", "print the draft, or what is published when there is none", _show, _showing),
    Verb("save", "keep a text as the draft", _save, _saving),
    Verb("discard", "throw the draft away", _discard, _matching),
    Verb("publish", "make the draft the newest version", _publish, _publishing),
)
