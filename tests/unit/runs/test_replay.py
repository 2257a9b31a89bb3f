"""From events to states and spans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from celesta.runs.replay import History, Span, replay

BEGIN = datetime(2026, 11, 21, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


@dataclass
class Told:
    """An event as its row has it."""

    at: datetime
    kind: str
    scope: int | None = 0
    node: int | None = 0
    attempt: int | None = None
    data: Any = None


def _spans(history: History) -> list[tuple[str, int, float, float | None, str]]:
    def since(moment: datetime | None) -> float | None:
        return None if moment is None else (moment - BEGIN).total_seconds()

    def shape(span: Span) -> tuple[str, int, float, float | None, str]:
        return span.state, span.attempt, since(span.begin) or 0.0, since(span.end), span.ended_by

    return [shape(span) for span in history.spans]


def test_a_retry_waits_between_two_attempts() -> None:
    error = {"code": "told", "message": "no"}
    history = replay(
        [
            Told(at(0), "ready"),
            Told(at(1), "running", attempt=1),
            Told(at(3), "waiting", attempt=1, data=error),
            Told(at(5), "ready"),
            Told(at(6), "running", attempt=2),
            Told(at(9), "succeeded", attempt=2),
        ]
    )[0, 0]
    assert (history.state, history.attempt) == ("succeeded", 2)
    assert _spans(history) == [
        ("ready", 0, 0, 1, "running"),
        ("running", 1, 1, 3, "waiting"),
        ("waiting", 1, 3, 5, "ready"),
        ("ready", 1, 5, 6, "running"),
        ("running", 2, 6, 9, "succeeded"),
    ]
    assert history.spans[1].data == error


def test_a_lost_attempt_and_one_that_was_handed_back_are_ready_again() -> None:
    history = replay(
        [
            Told(at(0), "running", attempt=1),
            Told(at(4), "lost", attempt=1, data={"worker": "w"}),
            Told(at(5), "running", attempt=2),
            Told(at(6), "handed_back", attempt=1),
        ]
    )[0, 0]
    assert (history.state, history.attempt) == ("ready", 1)
    assert _spans(history) == [
        ("running", 1, 0, 4, "lost"),
        ("ready", 1, 4, 5, "running"),
        ("running", 2, 5, 6, "handed_back"),
        ("ready", 1, 6, None, ""),
    ]


def test_what_changes_nothing_is_passed_over() -> None:
    history = replay(
        [
            Told(at(0), "running", attempt=1),
            Told(at(1), "succeeded", attempt=1),
            Told(at(2), "refused", attempt=1, data={"reported": "failed"}),
            Told(at(3), "artifact_deleted", attempt=1),
            Told(at(4), "run_succeeded", scope=None, node=None),
        ]
    )
    assert list(history) == [(0, 0)]
    assert _spans(history[0, 0]) == [("running", 1, 0, 1, "succeeded")]


def test_waves_and_items_are_told_in_one_event() -> None:
    told = replay(
        [
            Told(at(0), "ready", node=None, data={"nodes": [2, 5]}),
            Told(at(1), "ready", scope=7, node=None, data={"node": 3, "items": 2}),
        ]
    )
    assert {key: history.state for key, history in told.items()} == {
        (0, 2): "ready", (0, 5): "ready", (7, 3): "ready", (8, 3): "ready",
    }  # fmt: skip


def test_what_a_rerun_kept_has_ended_before_it_began() -> None:
    kept = {"nodes": [0, 2], "states": ["succeeded", "skipped"], "of": "the run before"}
    told = replay([Told(at(0), "kept", node=None, data=kept)])
    assert {key: (h.state, h.attempt, h.spans) for key, h in told.items()} == {
        (0, 0): ("succeeded", 0, []), (0, 2): ("skipped", 0, []),
    }  # fmt: skip


def test_an_end_before_the_beginning_is_no_negative_time() -> None:
    history = replay([Told(at(2), "running", attempt=1), Told(at(1), "succeeded", attempt=1)])[0, 0]
    assert _spans(history) == [("running", 1, 2, 2, "succeeded")]
