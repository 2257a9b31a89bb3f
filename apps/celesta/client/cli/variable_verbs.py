"""``celesta variable ...``."""

from __future__ import annotations

import argparse
from typing import Final

from celesta.client.cli.arguments import Session, Verb, matching, parsed

COLUMNS: Final = ("name", "value", "description", "updated_at")
TAGGED: Final = (*COLUMNS, "etag")


def _list(session: Session) -> None:
    session.printer.rows(session.client.variables.list(), COLUMNS)


def _get(session: Session) -> None:
    session.printer.facts(session.client.variables.get(session.options.name), TAGGED)


def _set(session: Session) -> None:
    options = session.options
    value = options.value if options.text else parsed(options.value, "the value")
    made = session.client.variables.set(
        options.name, value, options.description, if_match=options.if_match
    )
    session.printer.facts(made, COLUMNS)


def _delete(session: Session) -> None:
    session.client.variables.delete(session.options.name)
    session.printer.line(f"deleted variable {session.options.name}")


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")


def _setting(parser: argparse.ArgumentParser) -> None:
    _name(parser)
    parser.add_argument("value", help="JSON: 30, true, '[1, 2]', '\"text\"'")
    parser.add_argument("--text", action="store_true", help="take the value as text as it is")
    parser.add_argument("--description", help="what it is for; by default as it was")
    matching(parser)


VERBS: Final = (
    Verb("list", "list variables", _list),
    Verb("get", "show a variable", _get, _name),
    Verb("set", "give a variable a value, making it if need be", _set, _setting),
    Verb("delete", "delete a variable", _delete, _name),
)
