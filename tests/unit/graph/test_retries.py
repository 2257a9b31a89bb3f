"""The curve of delays between attempts."""

from __future__ import annotations

import pytest

from celesta.graph.plan import Retry
from celesta.graph.retries import delay, may_retry

EXACT = Retry(attempts=5, backoff=1.0, factor=2.0, max=10.0, jitter=False)


def test_delays_grow_by_the_factor_up_to_the_maximum() -> None:
    assert [delay(attempt, EXACT, 0.3) for attempt in range(1, 7)] == [1, 2, 4, 8, 10, 10]


def test_jitter_spreads_over_the_upper_half() -> None:
    retry = Retry(attempts=3, backoff=4.0, factor=1.0, max=60.0, jitter=True)
    assert delay(1, retry, 0.0) == 2.0
    assert delay(1, retry, 0.5) == 3.0
    assert 3.99 < delay(1, retry, 0.999) < 4.0


def test_a_huge_attempt_number_does_not_overflow() -> None:
    assert delay(100_000, EXACT, 0.0) == 10.0


@pytest.mark.parametrize(("attempt", "more"), [(1, True), (4, True), (5, False), (6, False)])
def test_attempts_count_the_first_try(attempt: int, more: bool) -> None:
    assert may_retry(attempt, EXACT) is more
