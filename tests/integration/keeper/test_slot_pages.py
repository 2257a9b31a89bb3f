"""What a slot's page says agrees with its row at every moment at which its process may die."""

from __future__ import annotations

import os
from typing import Any

import pytest

from celesta.runs import transitions, upkeep
from celesta_worker import page, slots
from celesta_worker.keeper import burial
from celesta_worker.page import SlotView
from celesta_worker.slots import Slot
from tests.integration.engine.plans import plan_of, publish_plan, with_map
from tests.integration.engine.simulation import begin

pytestmark = pytest.mark.django_db(transaction=True)


def told(slot: Slot) -> SlotView:
    found = page.view_of(slot.page.path)
    assert found
    return found


def test_a_process_that_dies_while_it_writes_a_maps_items_counts_a_loss(
    slot: Slot, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a map that is being expanded; the process dies after the first of three chunks
    run, _ = begin(publish_plan(with_map(plan_of({"m": []}, queues={"m": "qm"}), "m")))
    claim = slot.claim(str(run), 0, 0, None, "task", 1)
    slot.page.begin()
    write, deaths = transitions.expand, []

    def dies(*args: Any, **options: Any) -> Any:
        if options["offset"]:
            deaths.append(told(slot))
            raise SystemExit
        return write(*args, **options)

    monkeypatch.setattr(transitions, "expand", dies)
    with pytest.raises(SystemExit):
        slot.expand(
            str(run), claim.claimed[0], ["1", "2", "3"],
            chunk=1, tolerate=0, max_parallel=None, rest=(),
        )  # fmt: skip
    (view,) = deaths
    row = upkeep.slot(slot.id)
    assert row
    assert (view.token, view.seq, view.begun) == (row.token, row.seq, 1)
    # When, Then
    burial.bury(view)
    assert upkeep.tries(str(run), 0, 0) == (1, 1)


def test_a_map_that_is_written_is_not_held_any_more(slot: Slot) -> None:
    run, _ = begin(publish_plan(with_map(plan_of({"m": []}, queues={"m": "qm"}), "m")))
    claim = slot.claim(str(run), 0, 0, None, "task", 1)
    slot.page.begin()
    slot.expand(
        str(run), claim.claimed[0], ["1", "2", "3"],
        chunk=1, tolerate=0, max_parallel=None, rest=(),
    )  # fmt: skip
    view, row = told(slot), upkeep.slot(slot.id)
    assert row
    assert (view.seq, view.begun, view.held) == (row.seq, 0, len(row.held))


def test_an_error_of_ours_lets_the_lease_run_out(slot: Slot) -> None:
    # Given a lane that broke down amid its work
    run, _ = begin(publish_plan(plan_of({"a": []}, queues={"a": "qm"})))
    slot.claim(str(run), 0, 0, None, "task", 1)
    slots._local.slot, slots._local.pid = slot, os.getpid()
    held = told(slot).token
    slots.abandon()
    slots._local.slot = None
    # Then the keeper, which goes by the page, does not extend its lease
    assert upkeep.extend({slot.id: told(slot).token or None}, 8.0, idle=True) == {}
    row = upkeep.slot(slot.id)
    assert row
    assert row.token == held


def test_a_slot_goes_on_with_a_new_row_when_its_lease_was_lost(slot: Slot) -> None:
    first = slot.id
    transitions.take_back(first, None, force=True)
    run, _ = begin(publish_plan(plan_of({"a": []}, queues={"a": "qm"})))
    assert slot.claim(str(run), 0, 0, None, "task", 1).answer == "claimed"
    assert slot.id != first
    assert told(slot).slot == slot.id
