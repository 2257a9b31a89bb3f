from __future__ import annotations

import pytest

from celesta.graph import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1.5m", 90),
        ("0s", 0),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert durations.parse(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "5", "m", "5 m", "-5m", "1h30m", "5min", "5M", "٣s", "1e3s", "99999d", 5, None, True],
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        durations.parse(text)


@pytest.mark.parametrize("text", ["500ms", "1s", "90s", "5m", "2h", "1d", "25h", "1500ms"])
def test_seconds_are_written_so_that_they_are_read_the_same(text: str) -> None:
    assert durations.parse(durations.text(durations.parse(text))) == durations.parse(text)
