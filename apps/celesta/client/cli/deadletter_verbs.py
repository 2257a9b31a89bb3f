"""``celesta deadletter ...``: what failed a run, until somebody deals with it."""

from __future__ import annotations

import argparse
from itertools import islice
from typing import Any, Final

from celesta.client.cli.arguments import Session, Verb

COLUMNS: Final = ("id", "workflow", "run", "node", "state", "created_at")


def _list(session: Session) -> None:
    rows = session.client.transport.rows("dead-letters/")
    session.printer.rows(islice(rows, session.options.limit), COLUMNS)


def _verb(name: str) -> Any:
    def carry_out(session: Session) -> None:
        path = f"dead-letters/{session.options.letter}/{name}/"
        answer = session.client.transport.call("POST", path, json={})
        if answer.content:
            session.printer.facts(answer.json())

    return carry_out


def _listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=int, default=20, help="by default 20")


def _id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("letter", type=int, metavar="ID")


VERBS: Final = (
    Verb("list", "list dead letters, newest first", _list, _listing),
    Verb("retry", "run again from the node that failed", _verb("retry"), _id),
    Verb("discard", "discard a dead letter", _verb("discard"), _id),
)
