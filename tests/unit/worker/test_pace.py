"""How many nodes a slot takes at once follows what nodes took before."""

from __future__ import annotations

import pytest

from celesta_worker.pace import MOST, SLOW, Durations, Pace

QUICK = 0.00005


@pytest.fixture
def durations() -> Durations:
    durations = Durations()
    for _ in range(10):
        durations.learn(1, 1, QUICK)
    return durations


def test_what_is_unknown_may_be_long() -> None:
    assert Durations().may_be_long(1, 1)
    assert Durations().longest(1, [1]) is None


def test_one_hiccup_does_not_make_a_quick_node_long(durations: Durations) -> None:
    durations.learn(1, 1, 0.008)
    assert not durations.may_be_long(1, 1)
    durations.learn(1, 1, 0.008)
    assert durations.may_be_long(1, 1)


def test_a_node_that_turns_out_long_is_known_as_long_at_once(durations: Durations) -> None:
    durations.learn(1, 1, 1.0)
    assert durations.may_be_long(1, 1)


def test_a_node_that_was_long_is_trusted_again_after_some_quick_runs(durations: Durations) -> None:
    durations.learn(1, 1, 0.02)
    for _ in range(8):
        durations.learn(1, 1, QUICK)
    assert not durations.may_be_long(1, 1)


def test_the_longest_of_several_decides(durations: Durations) -> None:
    durations.learn(1, 2, 1.0)
    assert durations.longest(1, [1, 2]) == 1.0
    assert durations.longest(1, [1, 3]) is None


@pytest.mark.parametrize(
    ("longest", "taken"), [(SLOW * 2, 1), (0.001, 50), (0.0, MOST), (0.004, 12)]
)
def test_a_batch_fits_into_the_budget(longest: float, taken: int) -> None:
    assert Pace(0.050).take(longest) == taken


def test_unknown_nodes_begin_with_one_and_double_while_quick() -> None:
    pace = Pace(0.050)
    found = []
    for _ in range(12):
        found.append(pace.take(None))
        pace.measured(found[-1], 0.001)
    assert found == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512]
    pace.measured(10, 1.0)
    assert pace.take(None) == 1
