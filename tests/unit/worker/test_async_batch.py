from __future__ import annotations

import asyncio
import time

import pytest

import celesta
from celesta.runs.outcomes import Succeeded
from celesta_worker.async_batch import AsyncBatch, Done
from celesta_worker.execute import Prepared, prepare
from tests.contracts.nodes.harness import a_context, a_node, types

in_flight = 0
most_in_flight = 0


@celesta.node("tests.batch.pause")
async def pause(seconds: float) -> float:
    global in_flight, most_in_flight
    in_flight += 1
    most_in_flight = max(most_in_flight, in_flight)
    await asyncio.sleep(seconds)
    in_flight -= 1
    return seconds


@celesta.node("tests.batch.fail")
async def fail() -> None:
    raise SystemExit(1)


def pausing(seconds: float) -> Prepared:
    config = {"function": "tests.batch.pause", "args": {"seconds": seconds}}
    return prepare(a_node("python", config), types)


def drain(batch: AsyncBatch[int]) -> list[Done[int]]:
    taken: list[Done[int]] = []
    while batch.in_flight:
        found = batch.take(timeout=60)
        assert found, "nothing ended within ten seconds"
        taken += found
    return taken


def test_two_hundred_nodes_of_a_second_share_one_slot() -> None:
    batch: AsyncBatch[int] = AsyncBatch(limit=200)
    began = time.monotonic()
    for key in range(200):
        batch.start(key, pausing(1.0), a_context())
    assert batch.free == 0

    taken = drain(batch)

    assert {done.key for done in taken} == set(range(200))
    assert all(isinstance(done.finished.outcome, Succeeded) for done in taken if done.finished)
    assert all(done.seconds >= 1.0 for done in taken)
    assert time.monotonic() - began < 30  # one after the other: 200
    assert most_in_flight > 150


def test_nodes_come_back_as_they_end_not_as_they_began() -> None:
    batch: AsyncBatch[str] = AsyncBatch(limit=2)
    batch.start("slow", pausing(0.3), a_context())
    batch.start("quick", pausing(0.0), a_context())

    assert [done.key for done in batch.take(timeout=60)] == ["quick"]
    assert [done.key for done in batch.take(timeout=60)] == ["slow"]
    assert batch.take() == []


def test_taking_waits_no_longer_than_told() -> None:
    batch: AsyncBatch[int] = AsyncBatch(limit=1)
    batch.start(1, pausing(60), a_context())
    assert batch.take(timeout=0.01) == []
    assert batch.in_flight == 1
    batch.cancel()
    drain(batch)


def test_cancelled_nodes_come_back_to_be_handed_back() -> None:
    batch: AsyncBatch[int] = AsyncBatch(limit=10)
    for key in range(10):
        batch.start(key, pausing(60), a_context())
    batch.cancel()

    assert [done.finished for done in drain(batch)] == [None] * 10


def test_a_failing_node_does_not_touch_the_others() -> None:
    batch: AsyncBatch[str] = AsyncBatch(limit=2)
    batch.start("good", pausing(0.05), a_context())
    batch.start(
        "bad", prepare(a_node("python", {"function": "tests.batch.fail"}), types), a_context()
    )

    ended = {done.key: done.finished for done in [*batch.take(10), *batch.take(10)]}

    assert ended["good"] is not None
    assert isinstance(ended["good"].outcome, Succeeded)
    assert ended["bad"] is not None
    assert not isinstance(ended["bad"].outcome, Succeeded)


def test_a_key_names_one_node() -> None:
    batch: AsyncBatch[int] = AsyncBatch(limit=2)
    batch.start(1, pausing(0), a_context())
    with pytest.raises(ValueError, match="in flight"):
        batch.start(1, pausing(0), a_context())
    drain(batch)
