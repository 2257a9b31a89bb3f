"""``celesta token ...``."""

from __future__ import annotations

import argparse
from typing import Final

from celesta.client.cli.arguments import Session, Verb
from celesta.client.parts import Json

COLUMNS: Final = (
    "id",
    "name",
    "user",
    "role",
    "scopes",
    "workflows",
    "prefix",
    "expires_at",
    "last_used_at",
    "rotated_at",
)


def _list(session: Session) -> None:
    session.printer.rows(session.client.tokens.list(), COLUMNS)


def _show(session: Session) -> None:
    session.printer.facts(session.client.tokens.get(session.options.token), COLUMNS)


def _create(session: Session) -> None:
    options = session.options
    made = session.client.tokens.create(
        options.name,
        options.role,
        scopes=options.scope,
        workflows=options.workflow,
        expires_at=options.expires_at,
    )
    _secret(session, made)


def _rotate(session: Session) -> None:
    _secret(session, session.client.tokens.rotate(session.options.token, session.options.overlap))


def _secret(session: Session, made: Json) -> None:
    """The secret alone, so that a script can take it as it is."""
    if session.printer.as_json:
        session.printer.value(made)
    else:
        session.printer.line(made["secret"])


def _delete(session: Session) -> None:
    session.client.tokens.delete(session.options.token)
    session.printer.line(f"deleted token {session.options.token}")


def _id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("token", type=int, metavar="ID")


def _creating(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="what it is for")
    parser.add_argument("--role", default="operator")
    parser.add_argument("--scope", action="append", default=[], help="such as runs:read; repeat it")
    parser.add_argument(
        "--workflow", action="append", default=[], help="reach only this one; repeat it"
    )
    parser.add_argument("--expires-at", metavar="MOMENT", help="such as 2027-01-31T00:00:00Z")


def _rotating(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    parser.add_argument("--overlap", type=int, default=3600, metavar="SECONDS")


VERBS: Final = (
    Verb("list", "list tokens", _list),
    Verb("show", "show a token", _show, _id),
    Verb("create", "create a token; prints its secret, once", _create, _creating),
    Verb("rotate", "replace a token of yours; prints the new secret, once", _rotate, _rotating),
    Verb("delete", "delete a token", _delete, _id),
)
