"""``celesta schedule ...``."""

from __future__ import annotations

import argparse
from typing import Any, Final

from celesta.client.cli.arguments import Session, Verb, matching, params
from celesta.client.errors import CelestaError

COLUMNS: Final = ("id", "name", "workflow", "cron", "every", "timezone", "enabled", "next_at")
CHANGING: Final = (
    *("name", "workflow", "cron", "every", "at", "timezone", "starts_at", "ends_at", "jitter"),
    *("overlap", "catch_up", "enabled"),
)


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


def _update(session: Session) -> None:
    options, schedules = session.options, session.client.schedules
    changes: dict[str, Any] = {
        name: value for name in CHANGING if (value := getattr(options, name)) is not None
    }
    tag = options.if_match
    if options.params or options.p:
        kept = schedules.get(options.schedule)
        tag = tag or kept["etag"]  # what is not named of its params stays as it is there
        workflow = options.workflow or kept["workflow"]
        schema = session.client.workflows.get(workflow)["params_schema"] if options.p else {}
        given = params(options.params, options.p, schema)
        changes["params"] = given if options.params else kept["params"] | given
    if not changes:
        raise CelestaError("Say what to change, such as --cron or -p; --help lists all.")
    session.printer.facts(schedules.update(options.schedule, if_match=tag, **changes), COLUMNS)


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


def _updating(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    parser.add_argument("--name")
    parser.add_argument("--workflow")
    timing = parser.add_mutually_exclusive_group()
    timing.add_argument("--cron", help='such as "0 2 * * *", instead of what it had')
    timing.add_argument("--every", type=int, metavar="SECONDS")
    timing.add_argument("--at", metavar="MOMENT", help="once")
    parser.add_argument("--timezone")
    parser.add_argument("--starts-at", metavar="MOMENT")
    parser.add_argument("--ends-at", metavar="MOMENT")
    parser.add_argument("--jitter", type=int, metavar="SECONDS")
    parser.add_argument("--overlap", help="allow, skip, queue or cancel_other")
    parser.add_argument("--catch-up", help="none, last or all")
    parser.add_argument(
        "--enabled", action=argparse.BooleanOptionalAction, default=None, help="switch it on or off"
    )
    parser.add_argument("-p", action="append", default=[], metavar="NAME=VALUE", help="this param")
    parser.add_argument("--params", metavar="JSON", help="all params")
    matching(parser)


def _counting(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    parser.add_argument("--count", type=int, default=5)


VERBS: Final = (
    Verb("list", "list schedules", _list, _listing),
    Verb("show", "show a schedule", _show, _id),
    Verb("create", "create a schedule", _create, _creating),
    Verb("update", "change some of a schedule", _update, _updating),
    Verb("delete", "delete a schedule", _delete, _id),
    Verb("next", "say when it is due next", _next, _counting),
    Verb("pause", "hold a schedule", _verb("pause"), _id),
    Verb("resume", "let a schedule go on", _verb("resume"), _id),
    Verb("run", "start a run of it now", _verb("run"), _id),
)
