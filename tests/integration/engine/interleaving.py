"""Two calls, each stopped in its middle by a lock that somebody else holds on a row it needs.

A *world* is a run in some state. A call is stopped by locking one of the world's rows; then a
second call runs until it ends or waits; then the lock goes. What the two leave behind must be what
they leave when one comes after the other.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from celesta.runs import connection
from celesta.runs.connection import rows
from celesta.workflows.models import WorkflowVersion

LEASE = 30.0
#: Seconds that any step may take, however busy the machine; who waits longer waits for ever.
PATIENCE = 60.0


@dataclass
class World:
    """A run with its slots by name, and what was known of it when it was made."""

    run: str
    version: WorkflowVersion
    slots: dict[str, int] = field(default_factory=dict)
    hints: tuple[int, ...] = ()
    #: Timers by their node.
    timers: dict[int, int] = field(default_factory=dict)


#: One transaction of a call.
Step = Callable[[World], object]


@dataclass(frozen=True)
class Call:
    """A named call: one transaction, or several that follow each other."""

    name: str
    steps: tuple[Step, ...]

    def __call__(self, world: World) -> None:
        for step in self.steps:
            step(world)

    def __str__(self) -> str:
        return self.name


def call(step: Step, *more: Step, name: str = "") -> Call:
    return Call(name or getattr(step, "__name__", "call"), (step, *more))


class Session:
    """A thread with a database connection of its own, kept for many calls."""

    def __init__(self) -> None:
        self._work: Callable[[], object] | None = None
        self._wake, self._done = threading.Event(), threading.Event()
        self._done.set()
        self.error: BaseException | None = None
        self.pid = 0
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()
        self.start(self._prepare)
        self.finish()

    def _prepare(self) -> None:
        self.pid = connection.hot().info.backend_pid
        try:  # deadlocks are found at once; only a superuser may say so
            rows("SET deadlock_timeout = '10ms'")
        except psycopg.Error:
            connection.close()
            self.pid = connection.hot().info.backend_pid

    def _loop(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            if self._work is None:
                connection.close()
                return
            try:
                self._work()
            except BaseException as error:  # noqa: BLE001 - reported by finish()
                self.error = error
            self._done.set()

    def start(self, work: Callable[[], object]) -> None:
        self._work, self.error = work, None
        self._done.clear()
        self._wake.set()

    def finish(self) -> None:
        assert self._done.wait(PATIENCE), "the call does not end"
        if self.error is not None:
            raise self.error

    def settle(self) -> bool:
        """Wait until the call has ended (True) or waits for a lock (False)."""
        until = time.monotonic() + PATIENCE
        while not self._done.wait(0.001):
            if rows("SELECT cardinality(pg_blocking_pids(%s::int)) > 0", (self.pid,))[0][0]:
                return self._done.is_set()
            assert time.monotonic() < until, "the call neither ends nor waits"
        return True

    def close(self) -> None:
        self._work = None
        self._wake.set()
        self._thread.join(PATIENCE)


class Holder:
    """A connection that locks one row until it is told to let go."""

    def __init__(self) -> None:
        self._connection = psycopg.connect(**connection.parameters())

    @contextmanager
    def holding(self, row: Row, world: World) -> Iterator[None]:
        where = row.where.format(run=world.run, **world.slots)
        held = self._connection.execute(f"SELECT 1 FROM {row.table} t WHERE {where} FOR UPDATE")
        assert held.rowcount == 1, f"{row} is not one row"
        try:
            yield
        finally:
            self._connection.rollback()

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True)
class Row:
    """A row to stop at, in any copy of a world: a table and the condition on ``t`` that names it.

    ``{run}`` and the names of slots in braces stand for what differs from copy to copy.
    """

    table: str
    where: str


def rows_of(world: World) -> dict[str, Row]:
    """Every row of a world that a call may lock, by a name that is the same in each copy."""
    found = {"run": Row("celesta_run", "t.id = '{run}'")}
    for name in world.slots:
        found[f"slot {name}"] = Row("celesta_slot", f"t.id = {{{name}}}")
    for table, columns in (
        ("node_run", "scope, node"),
        ("gate", "scope, gate"),
        ("expansion", "first_scope"),
    ):
        for key in rows(f"SELECT {columns} FROM celesta_{table} WHERE run_id = '{world.run}'"):
            pairs = zip(columns.split(", "), key, strict=True)
            where = " AND ".join(f"t.{column} = {value}" for column, value in pairs)
            found[f"{table} {key}"] = Row(f"celesta_{table}", f"t.run_id = '{{run}}' AND {where}")
    for table in ("wave", "hint", "timer"):
        ids = f"SELECT id FROM celesta_{table} WHERE run_id = '{{run}}' ORDER BY id"
        for i in range(len(rows(ids.format(run=world.run)))):
            found[f"{table} {i}"] = Row(f"celesta_{table}", f"t.id = ({ids} LIMIT 1 OFFSET {i})")
    return found


def merges(first: Sequence[Step], second: Sequence[Step]) -> Iterator[list[Step]]:
    """Every order in which the steps of two calls can follow each other."""
    size = len(first) + len(second)
    for places in itertools.combinations(range(size), len(first)):
        mine, theirs = iter(first), iter(second)
        yield [next(mine) if place in places else next(theirs) for place in range(size)]
