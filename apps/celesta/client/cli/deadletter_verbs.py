"""``celesta deadletter ...``: what failed a run, until somebody deals with it."""

from __future__ import annotations

import argparse
from itertools import islice
from typing import Any, Final

from celesta.client.cli.arguments import Session, Verb, counted, filtered, outcomes

COLUMNS: Final = ("id", "workflow", "run", "node", "code", "fingerprint", "state", "at")
#: Options that choose dead letters, and the fields of the API's filter that they are.
MANY: Final = {"ids": "ids", "workflow": "workflow", "code": "code", "alike": "fingerprint"}


def _list(session: Session) -> None:
    options = session.options
    rows = session.client.dead_letters.list(
        state=options.state, workflow=options.workflow, code=options.code,
        fingerprint=options.alike, limit=min(options.limit, 500),
    )  # fmt: skip
    session.printer.rows(islice(rows, options.limit), COLUMNS)


def _verb(name: str) -> Any:
    def carry_out(session: Session) -> int:
        """Those of these numbers; those of a filter are counted first."""
        letters, where = session.client.dead_letters, filtered(session.options, MANY)
        if "ids" not in where and not counted(session, letters.count(where), name):
            return 0
        reason = session.options.reason if name == "discard" else ""
        return outcomes(session, letters.many(name, where, reason))

    return carry_out


def _choosing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workflow")
    parser.add_argument("--code", help="code of the error")
    parser.add_argument("--alike", metavar="FINGERPRINT", help="failures like this one")


def _listing(parser: argparse.ArgumentParser) -> None:
    _choosing(parser)
    parser.add_argument("--state", help="open, retried or discarded; by default all")
    parser.add_argument("--limit", type=int, default=20, help="by default 20")


def _retrying(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="those, without --yes")
    _choosing(parser)
    parser.add_argument("--yes", action="store_true", help="do it; else only count")


def _discarding(parser: argparse.ArgumentParser) -> None:
    _retrying(parser)
    parser.add_argument("--reason", default="", help="kept with them")


VERBS: Final = (
    Verb("list", "list dead letters, newest first", _list, _listing),
    Verb("retry", "run again from the nodes that failed", _verb("retry"), _retrying),
    Verb("discard", "let them rest", _verb("discard"), _discarding),
)
