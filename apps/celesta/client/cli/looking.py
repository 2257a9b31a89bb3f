"""Commands without verbs: ``celesta me``, ``overview`` and ``cluster``."""

from __future__ import annotations

from typing import Any, Final

from celesta.client.cli.arguments import Session

RECENT: Final = ("since", "counts", "per_hour", "succeeded_share", "median", "p95")
FAILURES: Final = ("workflow", "node", "code", "runs", "last", "last_run", "message")
SLOWEST: Final = ("workflow", "node", "times", "mean", "longest", "waited")
LEADER: Final = ("holder", "is_leading", "term", "since", "until")
WORKERS: Final = ("name", "slots", "busy", "idle", "other", "lost", "queues", "since")
QUEUES: Final = ("name", "slots", "busy", "idle", "other", "lost", "waiting", "oldest")


def me(session: Session) -> None:
    """Who the token stands for."""
    session.printer.facts(session.client.me())


def overview(session: Session) -> None:
    """How the workspace is doing: what is open, what became of a day's runs, what fails."""
    told, printer = session.client.overview(), session.printer
    if printer.as_json:
        printer.value(told)
        return
    printer.facts({state: _number(count) for state, count in told["open"].items()})
    printer.line()
    printer.facts(told["recent"], RECENT)
    for part, names in (
        ("queues", ("queue", "hints", "oldest")), ("failures", FAILURES), ("slowest", SLOWEST),
    ):  # fmt: skip
        if told[part]:
            printer.line(f"\n{part}")
            printer.rows(told[part], names)


def cluster(session: Session) -> None:
    """Who leads, which workers there are, and what waits."""
    told, printer = session.client.cluster(), session.printer
    if printer.as_json:
        printer.value(told)
        return
    printer.facts(told["leader"], LEADER)
    for part, names in (("workers", WORKERS), ("queues", QUEUES)):
        printer.line(f"\n{part}")
        printer.rows(told[part], names)


def _number(count: dict[str, Any]) -> str:
    return f"{count['value']}{'+' if count['more'] else ''}"
