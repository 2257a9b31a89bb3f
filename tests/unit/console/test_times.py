"""Times and sizes in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from celesta.console.showing.times import ago, between, duration, pretty, size

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (-1.0, "0 ms"),
        (0.0404, "40 ms"),
        (1.239, "1.24 s"),
        (12.34, "12.3 s"),
        (125.0, "2 m 05 s"),
        (3 * 3600 + 7 * 60, "3 h 07 m"),
        (2 * 86400 + 4 * 3600, "2 d 04 h"),
    ],
)
def test_durations(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (2, "just now"),
        (59, "59 s ago"),
        (300, "5 min ago"),
        (7200, "2 h ago"),
        (3 * 86400, "3 d ago"),
        (-7200, "in 2 h"),
        (8 * 86400, "24 May 2026"),
    ],
)
def test_moments(seconds: int, words: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == words
    assert ago(None, NOW) == ""


def test_what_goes_on_lasts_until_now() -> None:
    assert between(NOW - timedelta(seconds=90), None, NOW) == "1 m 30 s"
    assert between(None, None, NOW) == ""


@pytest.mark.parametrize(
    ("count", "words"), [(812, "812 B"), (4200, "4.2 kB"), (1_300_000, "1.3 MB"), (2e9, "2.0 GB")]
)
def test_sizes(count: float, words: str) -> None:
    assert size(int(count)) == words


def test_json_is_indented() -> None:
    assert pretty({"a": [1, "é"]}) == '{\n  "a": [\n    1,\n    "é"\n  ]\n}'
