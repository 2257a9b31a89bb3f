"""What happens to the nodes of a process that died, and of one that was killed at a deadline."""

from __future__ import annotations

import time
from typing import Any

import pytest

from celesta.engine import canvas
from celesta.graph.plan import Retry
from celesta.runs import transitions, upkeep
from celesta.runs.calls import Report
from celesta.runs.connection import rows
from celesta.runs.models import Event, Hint, Output, Run, Timer, Wave
from celesta_worker.keeper import burial
from tests.integration.keeper.world import TOKEN, held_run, lapse, leases, view

pytestmark = pytest.mark.django_db(transaction=True)

DEAD = 2**22 + 1  # a number that no process has


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everything that was released, in place of the broker."""
    taken: list[Any] = []

    def take(_plan: Any, sent: Any) -> bool:
        taken.extend(sent)
        return True

    monkeypatch.setattr(canvas, "publish", take)
    return taken


def test_the_node_that_had_begun_counts_a_loss_and_the_others_do_not() -> None:
    # Given a lane of three: the first has ended unreported, the second is in its body
    world = held_run(nodes=5, take=3)
    burial.bury(view(DEAD, world.slot, begun=2, in_body=True))
    assert world.states() == [("ready", 1, 0), ("ready", 1, 1), ("ready", 0, 0)]
    kinds = Event.objects.filter(run_id=world.run).values_list("kind", "node")
    assert {("lost", 0), ("lost", 1), ("handed_back", 2)} <= set(kinds)


def test_what_it_held_travels_again_the_lost_one_alone(published: list[Any]) -> None:
    world = held_run(nodes=5, take=3)
    burial.bury(view(DEAD, world.slot, begun=1))
    # the lost node by itself, its mates together, and the lane it had open
    assert sorted(sent.nodes for sent in published) == [(0,), (0, 1, 2, 3, 4), (1, 2)]
    assert Hint.objects.filter(run_id=world.run, node=0).count() == 1
    assert Wave.objects.filter(run_id=world.run).count() == 2


def test_nothing_had_begun_since_the_last_call() -> None:
    # Given the page of a process that died before it saw the answer of its last call
    world = held_run(nodes=5, take=3)
    rows("UPDATE celesta_slot SET seq = 1 WHERE id = %s::bigint", (world.slot,))
    burial.bury(view(DEAD, world.slot, seq=0, begun=2))
    assert world.states() == [("ready", 0, 0)] * 3


def test_a_claim_whose_answer_was_not_seen() -> None:
    # Given the page says idle, and the row says that a claim was carried out
    world = held_run()
    burial.bury(view(DEAD, world.slot, token=0))
    assert world.states() == [("ready", 0, 0)]


def test_an_idle_slot_stops_counting_as_live() -> None:
    world = held_run()
    burial.bury(view(DEAD, world.slot, begun=1))
    assert leases([world.slot])[world.slot] <= 0
    burial.bury(view(DEAD, world.slot, begun=1))  # and again: nothing
    assert world.states() == [("ready", 1, 1)]


def test_a_slot_without_a_row_is_buried_quietly(caplog: pytest.LogCaptureFixture) -> None:
    world = held_run()
    burial.bury(view(DEAD, 0, token=0))
    assert world.states() == [("running", 1, 0)]  # another's nodes stay
    assert not caplog.records


def test_a_stopped_process_keeps_its_nodes_until_its_lease_ends() -> None:
    world = held_run(nodes=5, take=2)
    page = view(DEAD, world.slot, begun=1, in_body=True)
    burial.take_back_stopped(page)
    assert world.states() == [("running", 1, 0), ("running", 1, 0)]
    lapse(world.slot)
    burial.take_back_stopped(page)
    assert world.states() == [("ready", 1, 1), ("ready", 0, 0)]


def over_deadline(slot: int, begun: int = 1, **fields: Any) -> Any:
    late = time.monotonic() - 6.0
    return view(DEAD, slot, begun=begun, in_body=True, deadline=late, serial=begun, **fields)


def test_a_timeout_is_a_failure_and_no_loss() -> None:
    world = held_run()
    assert burial.time_out(over_deadline(world.slot))
    assert world.states() == [("failed", 1, 0)]
    error = Output.objects.get(run_id=world.run, scope=0, node=0).error or {}
    assert error["code"] == "timeout"
    assert (Run.objects.get(pk=world.run).error or {})["code"] == "node_failed"


def test_a_timeout_is_tried_again_by_the_nodes_policy() -> None:
    world = held_run(retry=Retry(attempts=2, backoff=60.0))
    assert burial.time_out(over_deadline(world.slot))
    assert world.states() == [("waiting", 1, 0)]
    assert Timer.objects.get(run_id=world.run).kind == "retry"


def test_the_mates_of_a_node_that_timed_out_are_not_to_blame() -> None:
    # Given a lane of four: one ended unreported, the second hangs, two were not begun
    world = held_run(nodes=6, take=4)
    assert burial.time_out(over_deadline(world.slot, begun=2))
    assert world.states() == [
        ("ready", 1, 0),
        ("failed", 1, 0),
        ("ready", 0, 0),
        ("ready", 0, 0),
    ]
    row = upkeep.slot(world.slot)
    assert row
    assert (row.token, row.held) == (None, ())
    assert leases([world.slot])[world.slot] <= 0


def test_the_lane_of_a_slot_that_timed_out_goes_on_elsewhere(published: list[Any]) -> None:
    world = held_run(nodes=5, take=1)
    before = set(Hint.objects.filter(run_id=world.run).values_list("id", flat=True))
    assert burial.time_out(over_deadline(world.slot))
    after = set(Hint.objects.filter(run_id=world.run).values_list("id", flat=True))
    (reopened,) = after - before
    assert [sent.hints for sent in published] == [(reopened,)]


def test_the_consequences_of_a_timeout_follow() -> None:
    world = held_run()
    burial.time_out(over_deadline(world.slot))
    assert Run.objects.get(pk=world.run).state == "failed"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"token": 5}, id="another token"),
        pytest.param({"seq": 3}, id="another call"),
        pytest.param({"begun": 0}, id="nothing begun"),
        pytest.param({"begun": 9}, id="more than is held"),
    ],
)
def test_a_page_that_does_not_fit_its_row_times_nothing_out(fields: dict[str, int]) -> None:
    world = held_run()
    assert not burial.time_out(over_deadline(world.slot, **fields))
    assert world.states() == [("running", 1, 0)]


def test_a_timeout_that_comes_after_the_result_does_nothing() -> None:
    world = held_run()
    done = Report(0, 0, 1, "succeeded", 0.0, 0.0)
    transitions.complete(world.slot, TOKEN, 1, str(world.run), [done], lease=8.0)
    assert not burial.time_out(over_deadline(world.slot))
    assert Run.objects.get(pk=world.run).state == "succeeded"
