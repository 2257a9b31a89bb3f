"""``manage.py cluster``: who leads, which workers there are, and what waits for them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError

from celesta.console.management.terminal import Terminal
from celesta.console.management.verbs import DATABASE_AWAY
from celesta.runs.cluster import Cluster, cluster


class Command(BaseCommand):
    """Show the leader, the workers and the queues."""

    help = "Show who leads, which workers there are, and what waits for them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Only how to print."""
        parser.add_argument("--json", action="store_true", help="print JSON, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        terminal = Terminal(self.stdout, self.style, as_json=options["json"])
        try:
            found = cluster()
        except (OperationalError, InterfaceError, psycopg.OperationalError) as error:
            raise CommandError(DATABASE_AWAY) from error
        if terminal.as_json:
            terminal.value(asdict(found))
            return
        _tell(found, terminal)


def _tell(found: Cluster, terminal: Terminal) -> None:
    leader = found.leader
    if leader.is_leading:
        terminal.facts([("leader", leader.holder), ("term", leader.term), ("since", leader.since)])
    else:
        terminal.line("leader: none; timers and retries wait until a worker is started")
    terminal.line()
    terminal.table(
        ("QUEUE", "WAITING", "SLOTS", "BUSY", "IDLE", "OTHER", "LOST"),
        [(q.name, q.waiting, q.slots, q.busy, q.idle, q.other, q.lost) for q in found.queues],
    )
    terminal.line()
    terminal.table(
        ("WORKER", "SLOTS", "BUSY", "IDLE", "OTHER", "LOST", "QUEUES"),
        [
            (w.name, w.slots, w.busy, w.idle, w.other, w.lost, ", ".join(w.queues))
            for w in found.workers
        ],
    )
