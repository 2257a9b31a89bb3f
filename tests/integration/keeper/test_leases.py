"""Leases follow the processes: living, stopped, dead; with pages and processes as a worker has."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from celesta.engine import canvas
from celesta.runs import connection, queries, transitions, upkeep
from celesta.runs.cluster import cluster
from celesta.runs.connection import rows
from celesta.runs.models import NodeRun, Slot
from celesta_worker import page, slots
from celesta_worker.keeper import leases as leases_module
from celesta_worker.keeper.deadlines import Deadlines
from celesta_worker.keeper.leases import Leases
from tests.integration.keeper.world import (
    TOKEN,
    Child,
    held_run,
    lapse,
    leases,
    view,
    write_page,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages of this test alone, so that other workers of this machine are not touched."""
    place = tmp_path / "pages"
    place.mkdir()
    monkeypatch.setattr(page, "directory", lambda: place)
    monkeypatch.setattr(canvas, "publish", lambda _plan, _sent: True)
    yield
    shutil.rmtree(place)


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child()
    yield made
    made.end()


@pytest.fixture
def keeper() -> Leases:
    return Leases(Deadlines())


def test_the_lease_of_a_living_process_is_extended(keeper: Leases, child: Child) -> None:
    world = held_run()
    write_page(os.getpid(), view(child.pid, world.slot))
    lapse(world.slot)
    keeper.keep(idle=True)
    assert leases([world.slot])[world.slot] > 5


def test_the_lease_of_another_token_is_not(keeper: Leases, child: Child) -> None:
    # The process thinks that it holds something which the row does not know.
    world = held_run()
    write_page(os.getpid(), view(child.pid, world.slot, token=5))
    lapse(world.slot)
    keeper.keep(idle=True)
    assert leases([world.slot])[world.slot] <= 0
    assert world.states() == [("running", 1, 0)]


def test_an_idle_slot_is_kept_and_says_since_when(keeper: Leases, child: Child) -> None:
    slot = transitions.register_slot("w", child.pid, ("q",), 8.0)
    rows("UPDATE celesta_slot SET idle_since = NULL")
    write_page(os.getpid(), view(child.pid, slot, token=0))
    keeper.keep(idle=True)
    first = Slot.objects.get(pk=slot).idle_since
    assert first
    keeper.keep(idle=True)
    assert Slot.objects.get(pk=slot).idle_since == first


def test_a_process_busy_with_other_tasks_is_not_idle(keeper: Leases, child: Child) -> None:
    # Else every message behind a long task of the team's own would look lost.
    slot = transitions.register_slot("w", child.pid, ("q",), 8.0)
    write_page(os.getpid(), view(child.pid, slot, token=0))
    keeper.keep(idle=False)
    assert Slot.objects.get(pk=slot).idle_since is None
    assert leases([slot])[slot] > 5


def test_a_dead_process_loses_its_nodes_at_once(keeper: Leases, child: Child) -> None:
    world = held_run()
    path = write_page(os.getpid(), view(child.pid, world.slot, begun=1))
    keeper.keep(idle=True)
    assert world.states() == [("running", 1, 0)]
    child.kill()  # and nobody has buried it yet
    keeper.keep(idle=True)
    assert world.states() == [("ready", 1, 1)]
    assert path.exists()  # a call of it may still be under way


def test_a_call_that_arrives_after_the_death_is_undone(keeper: Leases, child: Child) -> None:
    # Given a process that died idle, and was buried
    world = held_run()
    transitions.take_back(world.slot, TOKEN, seq=0, begun=0, force=True)
    write_page(os.getpid(), view(child.pid, world.slot, token=88))
    child.kill()
    keeper.keep(idle=True)
    # When its last claim reaches the database after that
    rows("UPDATE celesta_slot SET lease_until = now() + interval '8 s' WHERE id = %s::bigint",
         (world.slot,))  # fmt: skip
    claim = transitions.claim(
        world.slot, 88, str(world.run), scope=0, node=0, hint=None, via="task", take=1, lease=8.0
    )
    assert claim.answer == "claimed"
    keeper.keep(idle=True)
    # Then
    assert world.states() == [("ready", 0, 0)]


def test_the_page_of_a_dead_process_goes_when_its_calls_cannot_come_any_more(
    keeper: Leases, child: Child
) -> None:
    path = write_page(os.getpid(), view(child.pid, 0, token=0))
    child.kill()
    keeper.keep(idle=True)
    keeper._graves[path] -= 60
    keeper.keep(idle=True)
    assert not path.exists()


def test_a_process_that_ended_between_two_nodes_is_not_counted_as_lost(
    keeper: Leases, child: Child
) -> None:
    # Given a process of the pool that has done what it was to do, as they do in time
    slot = transitions.register_slot("w", child.pid, ("q",), 8.0)
    path = write_page(os.getpid(), view(child.pid, slot, token=0))
    child.kill()
    keeper.keep(idle=True)
    assert Slot.objects.filter(pk=slot).exists()  # a call of it may still be under way
    keeper._graves[path] -= 60
    keeper.keep(idle=True)
    assert cluster().workers == []
    assert queries.workers_of([NodeRun(slot=slot)]) == {slot: f"w · {child.pid}"}


def test_a_process_that_died_amid_a_node_is_counted_as_lost(keeper: Leases, child: Child) -> None:
    world = held_run()
    path = write_page(os.getpid(), view(child.pid, world.slot, begun=1))
    child.kill()
    keeper.keep(idle=True)
    keeper._graves[path] -= 60
    keeper.keep(idle=True)
    assert [worker.lost for worker in cluster().workers] == [1]


def test_a_new_process_may_have_the_number_of_a_dead_one(keeper: Leases, child: Child) -> None:
    path = write_page(os.getpid(), view(child.pid, 0, token=0))
    keeper._graves[path] = time.monotonic() - 60
    slot = transitions.register_slot("w", child.pid, ("q",), 8.0)
    write_page(os.getpid(), view(child.pid, slot, token=0))
    lapse(slot)
    keeper.keep(idle=True)
    assert leases([slot])[slot] > 5
    assert path.exists()


def test_a_stopped_process_loses_its_nodes_when_its_lease_ends(
    keeper: Leases, child: Child
) -> None:
    world = held_run()
    write_page(os.getpid(), view(child.pid, world.slot, begun=1))
    child.stop()
    before = leases([world.slot])[world.slot]
    keeper.keep(idle=True)
    assert leases([world.slot])[world.slot] <= before
    assert world.states() == [("running", 1, 0)]
    lapse(world.slot)
    keeper.keep(idle=True)
    assert world.states() == [("ready", 1, 1)]


def test_the_number_of_a_dead_process_may_be_another_programs(keeper: Leases) -> None:
    # Given a page whose process is not our child (it is our parent)
    world = held_run()
    write_page(os.getpid(), view(os.getppid(), world.slot, begun=1))
    keeper.keep(idle=True)
    assert world.states() == [("ready", 1, 1)]


def test_a_killed_workers_slots_are_buried_by_its_neighbours(keeper: Leases, child: Child) -> None:
    # Given the pages of a worker that was killed with its processes
    worker, process = Child(), Child()
    world = held_run()
    path = write_page(worker.pid, view(process.pid, world.slot, begun=1))
    page.WorkerPage(worker.pid, create=True)
    keeper.keep(idle=True)
    assert world.states() == [("running", 1, 0)]
    worker.end()
    keeper.keep(idle=True)
    assert world.states() == [("running", 1, 0)]  # an orphan that may still end its node
    process.end()
    # When
    keeper.keep(idle=True)
    # Then
    assert world.states() == [("ready", 1, 1)]
    keeper._graves[path] -= 60
    keeper.keep(idle=True)
    keeper.keep(idle=True)
    assert page.workers() == set()


def test_a_body_of_a_cancelled_run_is_told_to_end(
    keeper: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(keeper._deadlines, "ask", lambda path, found: told.append(found.serial))
    with_handler = Child()
    world = held_run()
    write_page(os.getpid(), view(with_handler.pid, world.slot, begun=1, in_body=True, serial=4))
    keeper.keep(idle=True)
    assert told == []
    transitions.cancel_if_open(world.run, "test", {"code": "cancelled"})
    keeper.keep(idle=True)
    assert told == [4]
    with_handler.end()


def test_while_a_worker_has_no_slot_the_keeper_stands_in(
    keeper: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a pool of threads, whose slots come with their first messages
    monkeypatch.setattr(slots.Worker, "queues", ("stand-in",))
    keeper.keep(idle=True)
    assert not Slot.objects.filter(queues=["stand-in"]).exists()
    keeper._seen -= leases_module.STAND_IN_AFTER
    # When
    keeper.keep(idle=True)
    keeper.keep(idle=True)
    # Then there is an idle slot, so that a lost first message is found,
    row = Slot.objects.get(queues=["stand-in"])
    assert row.idle_since
    # until there are others
    slot = transitions.register_slot("w", os.getpid(), ("q",), 8.0)
    write_page(os.getpid(), view(os.getpid(), slot, token=0))
    keeper.keep(idle=True)
    assert not Slot.objects.filter(pk=row.pk).exists()


def test_a_thread_that_does_not_end_is_timed_out_and_comes_back(keeper: Leases) -> None:
    # Given a body in a thread of this process, long past its deadline
    world = held_run()
    late = time.monotonic() - 60
    body: dict[str, Any] = {"begun": 1, "in_body": True, "deadline": late, "serial": 3}
    write_page(os.getpid(), view(os.getpid(), world.slot, **body))
    keeper._deadlines.enforce()
    # When
    keeper.keep(idle=True)
    keeper.keep(idle=True)
    # Then the node has failed, and its slot does not count
    assert world.states() == [("failed", 1, 0)]
    assert leases([world.slot])[world.slot] <= 0
    # When the thread has ended after all
    write_page(os.getpid(), view(os.getpid(), world.slot, token=0))
    keeper.keep(idle=True)
    assert leases([world.slot])[world.slot] > 5


def test_a_killed_process_is_timed_out_not_lost(keeper: Leases, child: Child) -> None:
    world = held_run()
    late = time.monotonic() - 60
    write_page(
        os.getpid(),
        view(child.pid, world.slot, begun=1, in_body=True, deadline=late, serial=3),
    )
    keeper._deadlines.enforce()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    keeper.keep(idle=True)
    assert world.states() == [("failed", 1, 0)]


def test_at_the_end_threads_hold_nothing(keeper: Leases) -> None:
    world = held_run()
    path = write_page(os.getpid(), view(os.getpid(), world.slot, begun=1))
    keeper.end()
    assert world.states() == [("ready", 1, 1)]
    assert not path.exists()
    assert not Slot.objects.exists()
    assert queries.workers_of([NodeRun(slot=world.slot)])


def test_a_slot_whose_row_is_being_written_is_passed_over(child: Child) -> None:
    busy, other = held_run(), held_run()
    for slot in (busy.slot, other.slot):
        lapse(slot)
    with psycopg.connect(**connection.parameters()) as call:
        call.execute("SELECT 1 FROM celesta_slot WHERE id = %s FOR UPDATE", (busy.slot,))
        found = upkeep.extend({busy.slot: TOKEN, other.slot: TOKEN}, 8.0, idle=True)
    assert found == {other.slot: "running"}
