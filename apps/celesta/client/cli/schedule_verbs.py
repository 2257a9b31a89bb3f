"""``celesta schedule ...``."""

from __future__ import annotations

import argparse
from typing import Any, Final

from celesta.client.cli.arguments import Session, Verb, params

COLUMNS: Final = ("id", "name", "workflow", "cron", "every", "timezone", "enabled", "next_at")


def _list(session: Session) -> None:
    session.printer.rows(session.client.schedules.list(workflow=session.options.workflow), COLUMNS)


def _show(session: Session) -> None:
    session.printer.facts(session.client.schedules.get(session.options.schedule))


def _create(session: Session) -> None:
    options = session.options
    timing: dict[str, Any] = {"cron": options.cron} if options.cron else {"every": options.every}
    schema = session.client.workflows.get(options.workflow)["params_schema"] if options.p else {}
    made = session.client.schedules.create(
        options.name,
        options.workflow,
        **timing,
        timezone=options.timezone,
        params=params(options.params, options.p, schema),
    )
    session.printer.facts(made, COLUMNS)


def _delete(session: Session) -> None:
    session.client.schedules.delete(session.options.schedule)
    session.printer.line(f"deleted schedule {session.options.schedule}")


def _next(session: Session) -> None:
    slots = session.client.schedules.next(session.options.schedule, session.options.count)
    session.printer.rows([{"slot": slot} for slot in slots], ("slot",))


def _verb(name: Any) -> Any:
    def carry_out(session: Session) -> None:
        session.printer.facts(session.client.schedules.verb(session.options.schedule, name))

    return carry_out


def _id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("schedule", type=int, metavar="ID")


def _listing(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workflow")


def _creating(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("workflow")
    timing = parser.add_mutually_exclusive_group(required=True)
    timing.add_argument("--cron", help='such as "0 2 * * *"')
    timing.add_argument("--every", type=int, metavar="SECONDS")
    parser.add_argument("--timezone", default="UTC", help="for --cron: Europe/Berlin")
    parser.add_argument("-p", action="append", default=[], metavar="NAME=VALUE", help="a param")
    parser.add_argument("--params", metavar="JSON")


def _counting(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    parser.add_argument("--count", type=int, default=5)


VERBS: Final = (
    Verb("list", "list schedules", _list, _listing),
    Verb("show", "show a schedule", _show, _id),
    Verb("create", "create a schedule", _create, _creating),
    Verb("delete", "delete a schedule", _delete, _id),
    Verb("next", "say when it is due next", _next, _counting),
    Verb("pause", "hold a schedule", _verb("pause"), _id),
    Verb("resume", "let a schedule go on", _verb("resume"), _id),
    Verb("run", "start a run of it now", _verb("run"), _id),
)
