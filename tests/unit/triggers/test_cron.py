"""Slots of cron expressions: golden tables around changes of the clock, and a reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celesta.triggers.cron import CronInvalid, parse

NEW_YORK, BERLIN = "America/New_York", "Europe/Berlin"
LORD_HOWE, SANTIAGO = "Australia/Lord_Howe", "America/Santiago"

#: zone, expression, from (UTC), the slots that follow (UTC)
GOLDEN = [
    # New York, forward on 2026-03-08: 02:00 EST is 03:00 EDT
    (NEW_YORK, "30 2 * * *", "03-07T00:00", ["03-07T07:30", "03-08T07:00", "03-09T06:30"]),
    (NEW_YORK, "*/20 2 * * *", "03-08T05:00", ["03-08T07:00", "03-09T06:00", "03-09T06:20"]),
    (NEW_YORK, "0 2,3 * * *", "03-08T05:00", ["03-08T07:00", "03-09T06:00", "03-09T07:00"]),
    (NEW_YORK, "30 * * * *", "03-08T06:00", ["03-08T06:30", "03-08T07:30", "03-08T08:30"]),
    # New York, back on 2026-11-01: 02:00 EDT is 01:00 EST
    (NEW_YORK, "30 1 * * *", "10-31T12:00", ["11-01T05:30", "11-02T06:30"]),
    (NEW_YORK, "0 2 * * *", "11-01T04:00", ["11-01T07:00", "11-02T07:00"]),
    (NEW_YORK, "30 * * * *", "11-01T05:00", ["11-01T05:30", "11-01T06:30", "11-01T07:30"]),
    # from within the second showing of the hour
    (NEW_YORK, "45 1 * * *", "11-01T06:15", ["11-02T06:45"]),
    (NEW_YORK, "45 * * * *", "11-01T06:15", ["11-01T06:45", "11-01T07:45"]),
    # Berlin, forward on 2026-03-29 and back on 2026-10-25, both at 01:00 UTC
    (BERLIN, "15 2 * * *", "03-28T12:00", ["03-29T01:00", "03-30T00:15"]),
    (BERLIN, "15 2 * * *", "10-24T12:00", ["10-25T00:15", "10-26T01:15"]),
    (BERLIN, "*/30 * * * *", "03-29T00:15", ["03-29T00:30", "03-29T01:00", "03-29T01:30"]),
    (BERLIN, "*/30 * * * *", "10-25T00:15", ["10-25T00:30", "10-25T01:00", "10-25T01:30"]),
    (BERLIN, "0 9 * * mon-fri", "03-27T12:00", ["03-30T07:00", "03-31T07:00"]),
    (BERLIN, "0 */2 * * *", "10-24T21:00", ["10-24T22:00", "10-25T00:00", "10-25T03:00"]),
    # Lord Howe moves by half an hour: forward on 2026-10-04, back on 2026-04-05
    (LORD_HOWE, "15 2 * * *", "10-03T00:00", ["10-03T15:30", "10-04T15:15"]),
    (LORD_HOWE, "45 1 * * *", "04-04T00:00", ["04-04T14:45", "04-05T15:15"]),
    (LORD_HOWE, "0 * * * *", "04-04T14:10", ["04-04T15:30", "04-04T16:30"]),
    # Santiago changes at midnight: forward on 2026-09-06, back on 2026-04-05
    (SANTIAGO, "0 0 * * *", "09-05T12:00", ["09-06T04:00", "09-07T03:00"]),
    (SANTIAGO, "30 23 * * *", "04-04T12:00", ["04-05T02:30", "04-06T03:30"]),
    # no changes at all, and an offset of half an hour
    ("Asia/Kolkata", "0 9 * * *", "03-08T12:00", ["03-09T03:30", "03-10T03:30"]),
]


def at(text: str, year: int = 2026) -> datetime:
    return datetime.fromisoformat(f"{year}-{text}:00+00:00")


@pytest.mark.parametrize(("zone", "expression", "start", "expected"), GOLDEN)
def test_slots_around_changes_of_the_clock(
    zone: str, expression: str, start: str, expected: list[str]
) -> None:
    cron, moment = parse(expression), at(start)
    for slot in expected:
        moment = cron.after(moment, ZoneInfo(zone))
        assert moment == at(slot), (zone, expression)
        assert moment.tzinfo is UTC


def test_a_whole_skipped_day_happens_once() -> None:
    # Samoa had no 2011-12-30: it went from the end of the 29th (UTC-10) to the 31st (UTC+14).
    cron, zone = parse("0 9 * * *"), ZoneInfo("Pacific/Apia")
    first = cron.after(datetime(2011, 12, 29, 20, tzinfo=UTC), zone)
    second = cron.after(first, zone)
    assert first == datetime(2011, 12, 30, 10, tzinfo=UTC)
    assert second.astimezone(zone) == datetime(2011, 12, 31, 9, tzinfo=zone)


@pytest.mark.parametrize(
    ("expression", "start", "expected"),
    [
        ("0 0 29 2 *", datetime(2025, 3, 1, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)),
        ("0 0 l * *", datetime(2027, 2, 2, tzinfo=UTC), datetime(2027, 2, 28, tzinfo=UTC)),
        ("0 4 1 * wed", datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 7, 4, tzinfo=UTC)),
        ("0 0 * * 5#3", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 16, tzinfo=UTC)),
        ("@daily", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)),
        ("0 12 * * 7", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 4, 12, tzinfo=UTC)),
    ],
)
def test_days(expression: str, start: datetime, expected: datetime) -> None:
    assert parse(expression).after(start, ZoneInfo("UTC")) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has 5 fields"),
        ("* * * *", "this has 4"),
        ("0 0 1 1 * *", "this has 6"),
        ("61 * * * *", r"'61' is no minute \(0 to 59\)"),
        ("* 24 * * *", r"'24' is no hour \(0 to 23\)"),
        ("a b c d e", "cannot be read"),
        ("h h * * *", "cannot be read"),
        ("r r * * *", "cannot be read"),
        ("0 0 31 2 *", "cannot be read"),
        ("@reboot", "this has 1"),
        ("*/0 * * * *", "cannot be read"),
    ],
)
def test_what_is_no_cron_expression_says_why(text: str, says: str) -> None:
    with pytest.raises(CronInvalid, match=says):
        parse(text)


def _reference(cron_hours: set[int], minute: int, start: datetime, zone: ZoneInfo) -> datetime:
    """Minute by minute: the definition of the module's docstring, told in another way."""
    fixed, owed, moment = len(cron_hours) < 24, False, start - timedelta(days=2)
    shown: set[datetime] = set()
    previous = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    while True:
        moment += timedelta(minutes=1)
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        skipped = previous + timedelta(minutes=1)
        while skipped < wall:
            owed = owed or (skipped.hour in cron_hours and skipped.minute == minute)
            skipped += timedelta(minutes=1)
        matches = wall.hour in cron_hours and wall.minute == minute
        due = (matches and not (fixed and wall in shown)) or (owed and fixed)
        owed, previous = False, wall
        shown.add(wall)
        if due and moment > start:
            return moment


@settings(max_examples=80, deadline=None)
@given(
    zone=st.sampled_from([NEW_YORK, BERLIN, LORD_HOWE, SANTIAGO, "Africa/Cairo"]),
    hours=st.one_of(st.just(set(range(24))), st.sets(st.integers(0, 23), min_size=1, max_size=5)),
    minute=st.integers(0, 59),
    minutes=st.integers(0, 360 * 1440),
)
def test_equals_the_reference(zone: str, hours: set[int], minute: int, minutes: int) -> None:
    start, place = at("01-01T00:00") + timedelta(minutes=minutes), ZoneInfo(zone)
    expression = f"{minute} {','.join(map(str, sorted(hours)))} * * *"
    expected = _reference(hours, minute, start, place)
    assert parse(expression).after(start, place) == expected


CHANGES_2026 = ["03-08T07:00", "11-01T06:00", "03-29T01:00", "10-25T01:00", "04-04T15:00",
                "10-03T15:30", "09-06T04:00", "04-05T03:00"]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from([NEW_YORK, BERLIN, LORD_HOWE, SANTIAGO]),
    hours=st.one_of(st.just(set(range(24))), st.sets(st.integers(0, 3), min_size=1)),
    minute=st.integers(0, 59),
    change=st.sampled_from(CHANGES_2026),
    before=st.integers(-200, 200),
)
def test_equals_the_reference_near_the_changes(
    zone: str, hours: set[int], minute: int, change: str, before: int
) -> None:
    start, place = at(change) - timedelta(minutes=before), ZoneInfo(zone)
    expression = f"{minute} {','.join(map(str, sorted(hours)))} * * *"
    assert parse(expression).after(start, place) == _reference(hours, minute, start, place)
