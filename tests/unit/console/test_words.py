"""What our templates make of words and numbers."""

from __future__ import annotations

import pytest

from celesta.console.templatetags.celesta_console import instants


def test_instants_in_a_sentence_are_told_as_times() -> None:
    told = instants("It waits for a time: 2026-11-21T10:00:00+00:00.")
    assert '<time datetime="2026-11-21T10:00:00+00:00"' in told
    assert told.startswith("It waits for a time: ")


@pytest.mark.parametrize("text", ["2026-13-45T10:00:00+00:00", "2026-11-21T99:00:00+00:00"])
def test_what_only_looks_like_an_instant_stays_as_it_is(text: str) -> None:
    assert instants(f"The task {text} was sent.") == f"The task {text} was sent."
