"""Keepers of real workers: who leads, what a shutdown leaves, and faults of the database."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from celesta.access.models import Workspace
from celesta.access.principals import SYSTEM
from celesta.engine.awaiting import await_run
from celesta.engine.start import start_run
from celesta.runs import connection
from celesta.runs.connection import rows
from celesta.runs.models import Leader, Run, Slot
from celesta.workflows.publishing import publish
from celesta_worker import page
from tests.processes import WorkerProcess, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

QUICK = ("--without-mingle", "--without-gossip", "--without-heartbeat")
TAKEOVER = 5.0

Start = Callable[..., WorkerProcess]


@pytest.fixture
def queue() -> str:
    return f"keeper-{uuid4().hex[:8]}"


@pytest.fixture
def start(worker_process: Start, queue: str) -> Start:
    def begin(**options: Any) -> WorkerProcess:
        return worker_process(queues=queue, arguments=QUICK, **options)

    return begin


def run_of(queue: str, **nodes: dict[str, Any]) -> Run:
    """Start a run of these nodes, or of one that waits a second amid two that do nothing."""
    if not nodes:
        transform = {"type": "transform", "queue": queue, "with": {"output": 1}}
        wait = {"type": "wait", "queue": queue, "with": {"for": "1s"}, "needs": ["a"]}
        nodes = {"a": transform, "b": wait, "c": {**transform, "needs": ["b"]}}
    workspace, _ = Workspace.objects.get_or_create(slug="default", defaults={"name": "Default"})
    document = {"workflow": f"keeper.w{uuid4().hex[:8]}", "nodes": nodes}
    return start_run(publish(workspace, document, by=None), {}, principal=SYSTEM).run


def ends(run: Run, deadline: float = 60.0) -> str:
    return await_run(run.pk, [], timeout=deadline).state


def led_by(worker: WorkerProcess) -> bool:
    """True while that worker leads."""
    found = rows("SELECT holder, until > now() FROM celesta_leader")
    return bool(found) and found[0][0].endswith(f":{worker.pid}") and found[0][1]


def slots_of(worker: WorkerProcess) -> list[int]:
    """Slots of the worker's processes that live by their leases."""
    pids = [worker.pid, *worker.children()]
    found = rows("SELECT id FROM celesta_slot WHERE pid = ANY (%s::int[]) AND lease_until > now()",
                 (pids,))  # fmt: skip
    return [row[0] for row in found]


def test_one_worker_leads_and_all_register_their_slots(start: Start) -> None:
    one, two = start(concurrency=2), start(concurrency=1)
    wait_for(lambda: led_by(one) != led_by(two))
    wait_for(lambda: (len(slots_of(one)), len(slots_of(two))) == (2, 1))
    leases = Slot.objects.in_bulk(slots_of(one) + slots_of(two))
    # When some seconds have passed, Then the leases have been extended
    wait_for(
        lambda: all(
            Slot.objects.get(pk=pk).lease_until > row.lease_until for pk, row in leases.items()
        ),
        5,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_leader_that_is_gone_is_followed_in_time(start: Start, number: int) -> None:
    first = start()
    wait_for(lambda: led_by(first))
    second = start()
    # When
    first.kill(number)
    gone = time.monotonic()
    # Then
    wait_for(lambda: led_by(second), TAKEOVER + 1)
    took = time.monotonic() - gone
    print(f"takeover of the lead after {signal.Signals(number).name}: {took:.2f} s")
    assert took <= TAKEOVER
    if number == signal.SIGSTOP:
        term = Leader.objects.get().term
        first.kill(signal.SIGCONT)
        wait_for(lambda: "does not lead any more" in first.output())
        assert led_by(second)
        assert Leader.objects.get().term == term


def test_a_shutdown_leaves_the_lead_the_slots_and_no_pages(start: Start, queue: str) -> None:
    worker = start(concurrency=2)
    wait_for(lambda: led_by(worker) and len(slots_of(worker)) == 2)
    pid, slots = worker.pid, slots_of(worker)
    assert ends(run_of(queue)) == "succeeded"
    # When
    worker.kill(signal.SIGTERM)
    assert worker.wait_ended() == 0
    # Then
    assert not led_by(worker)
    assert not Slot.objects.filter(pk__in=slots, token__isnull=False).exists()
    assert not rows(
        "SELECT 1 FROM celesta_slot WHERE id = ANY (%s::bigint[]) AND lease_until > now()",
        (slots,),
    )
    assert pid not in page.workers()


def test_pages_of_a_killed_worker_are_cleared_by_the_next(start: Start) -> None:
    first = start(concurrency=1)
    pid = first.pid
    wait_for(lambda: len(slots_of(first)) == 1)
    first.kill_all()
    assert pid in page.workers()
    start()
    wait_for(lambda: pid not in page.workers())


def test_connections_that_are_cut_are_made_anew(start: Start, queue: str) -> None:
    worker = start(concurrency=1)
    wait_for(lambda: led_by(worker))
    # When every connection of the worker is terminated, and each new one as soon as it is there
    assert cut()
    wait_for(cut)
    # Then it goes on, timers included
    assert ends(run_of(queue)) == "succeeded"
    wait_for(lambda: led_by(worker))


def test_a_database_that_is_away_for_seconds_is_told_once(
    start: Start, queue: str, refusing: Callable[[bool], None]
) -> None:
    worker = start(concurrency=1)
    wait_for(lambda: led_by(worker))
    # When
    refusing(True)
    wait_for(lambda: "the database cannot be reached" in worker.output())
    wait_for(lambda: not rows("SELECT 1 FROM celesta_leader WHERE until > now()"))
    refusing(False)
    # Then
    wait_for(lambda: "the database answers again" in worker.output())
    assert ends(run_of(queue)) == "succeeded"
    lines = [line for line in worker.output().splitlines() if "cannot be reached" in line]
    assert len(lines) <= 2  # once for the keeper, once for the leader
    assert "Traceback" not in worker.output()


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_other_pools_have_slots_and_timers(start: Start, queue: str, pool: str) -> None:
    worker = start(pool=pool, concurrency=2)
    assert ends(run_of(queue)) == "succeeded"
    assert len(slots_of(worker)) >= 1


def cut() -> int:
    """Terminate every connection of workers to this database; returns how many there were."""
    found = rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND client_port IS NOT NULL AND pid <> ALL (%s::int[])",
        ([_django_backend()],),
    )
    return len(found)


def _django_backend() -> int:
    from django.db import connection as django_connection

    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.fixture
def refusing() -> Iterator[Callable[[bool], None]]:
    """Let the database refuse connections (the present ones are cut), or take them again."""
    parameters = connection.parameters()
    name = parameters["dbname"]
    admin = psycopg.connect(**{**parameters, "dbname": "postgres"}, autocommit=True)

    def refuse(on: bool) -> None:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {not on}')
        if on:
            cut()

    yield refuse
    refuse(False)
    admin.close()
