"""Timings: keys, intervals, and the newest slot found without a walk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from celesta.triggers.recurrence import Recurrence
from celesta.triggers.timing import Timing, ZoneUnknown, from_key

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_an_interval_without_an_anchor_counts_from_the_epoch() -> None:
    timing = Timing(every=300)
    assert timing.after(NOON) == NOON + timedelta(minutes=5)
    assert timing.after(NOON + timedelta(seconds=1)) == NOON + timedelta(minutes=5)


def test_an_interval_counts_from_its_anchor_and_does_not_begin_before_it() -> None:
    anchor = NOON + timedelta(seconds=90)
    timing = Timing(every=300, anchor=anchor)
    assert timing.after(NOON - timedelta(days=9)) == anchor
    assert timing.after(anchor) == anchor + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("timing", "key", "filters"),
    [
        (
            Timing(cron="0 9 * * 1", zone="Europe/Berlin"),
            "cron:0 9 * * 1@Europe/Berlin",
            {"cron": "0 9 * * 1", "timezone": "Europe/Berlin"},
        ),
        (Timing(every=300), "every:300", {"every": 300}),
        (Timing(at=NOON), "at:2026-06-01T12:00:00+00:00", {"at": NOON}),
        (Timing(every=300, anchor=NOON + timedelta(seconds=90)), "every:300+90", {"every": 300}),
    ],
)
def test_keys(timing: Timing, key: str, filters: dict[str, object]) -> None:
    assert timing.key == key
    assert from_key(key) == filters


@pytest.mark.parametrize("key", ["", "cron:* * * * *", "every:soon", "daily", "at:noon"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError):
        from_key(key)


def test_an_unknown_zone_says_what_to_write() -> None:
    with pytest.raises(ZoneUnknown, match="Europe/Berlin"):
        Timing(cron="0 9 * * *", zone="Mars/Olympus").after(NOON)


@pytest.mark.parametrize(
    ("timing", "reach", "expected"),
    [
        (Timing(cron="* * * * *"), timedelta(days=400), NOON),
        (Timing(cron="0 0 1 1 *"), timedelta(days=400), datetime(2026, 1, 1, tzinfo=UTC)),
        (Timing(cron="0 0 1 1 *"), timedelta(days=3), None),
        (Timing(every=7), timedelta(seconds=9), NOON - timedelta(seconds=NOON.timestamp() % 7)),
    ],
)
def test_the_latest_slot(timing: Timing, reach: timedelta, expected: datetime | None) -> None:
    found = Recurrence(timing).newest(NOON - reach, NOON, 1)
    assert found == ([expected] if expected else [])


def test_timings_in_words() -> None:
    assert Timing(every=300).describe() == "every 5m"
    assert Timing(every=86400).describe() == "every 1d"
    assert Timing(every=61).describe() == "every 61s"
    assert Timing(at=NOON, zone="Asia/Tokyo").describe() == "once at 2026-06-01 21:00:00 JST"
    assert Timing(cron="0 9 * * 1").describe() == "0 9 * * 1 (UTC)"
