"""``celesta backfill ...``."""

from __future__ import annotations

import argparse
from typing import Any, Final

from celesta.client.cli.arguments import Session, Verb

COLUMNS: Final = (
    "id", "workflow", "schedule", "begin", "until", "state", "total", "left", "started", "skipped",
    "refused",
)  # fmt: skip
SLOTS: Final = ("number", "slot", "state", "run", "note")


def _list(session: Session) -> None:
    found = session.client.backfills.list(schedule=session.options.schedule)
    session.printer.rows(found, COLUMNS)


def _show(session: Session) -> None:
    session.printer.facts(session.client.backfills.get(session.options.backfill))


def _slots(session: Session) -> None:
    session.printer.rows(session.client.backfills.slots(session.options.backfill), SLOTS)


def _create(session: Session) -> None:
    options = session.options
    more: dict[str, Any] = {
        "schedule": options.schedule,
        "max_active": options.max_active,
        "max_slots": options.max_slots,
        "newest_first": options.newest_first,
        "existing": "rerun" if options.rerun else "skip",
    }
    if options.preview:
        session.printer.facts(
            session.client.backfills.preview(options.begin, options.until, **more)
        )
    else:
        made = session.client.backfills.create(options.begin, options.until, **more)
        session.printer.facts(made, COLUMNS)


def _verb(name: Any) -> Any:
    def carry_out(session: Session) -> None:
        done = session.client.backfills.verb(session.options.backfill, name)
        session.printer.facts(done, COLUMNS)

    return carry_out


def _id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("backfill", type=int, metavar="ID")


def _listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--schedule", type=int, metavar="ID", help="only those of this schedule")


def _creating(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("schedule", type=int, metavar="SCHEDULE", help="id of the schedule")
    parser.add_argument("--from", dest="begin", required=True, help="such as 2026-01-01T00:00:00Z")
    parser.add_argument("--until", required=True, help="up to here, included")
    parser.add_argument("--max-active", type=int, default=10, help="runs of it open at once")
    parser.add_argument("--max-slots", type=int, default=10_000, help="refuse a larger range")
    parser.add_argument("--newest-first", action="store_true")
    parser.add_argument("--rerun", action="store_true", help="slots that have a run already too")
    parser.add_argument("--preview", action="store_true", help="only say what it would start")


VERBS: Final = (
    Verb("list", "list backfills, newest first", _list, _listing),
    Verb("show", "show how far a backfill is", _show, _id),
    Verb("slots", "list its slots and their runs", _slots, _id),
    Verb("create", "start the slots of a range of a schedule", _create, _creating),
    Verb("pause", "hold a backfill back", _verb("pause"), _id),
    Verb("resume", "let a backfill go on", _verb("resume"), _id),
    Verb("cancel", "end what is still to start", _verb("cancel"), _id),
)
