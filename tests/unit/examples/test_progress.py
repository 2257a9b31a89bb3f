"""Following a run, and what a terminal or a file gets to see of it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from uuid import UUID

import pytest

from celesta.runs.states import RunState
from project.demo.problems import DemoProblem
from project.demo.progress import STILL, Display, Progress, bar, follow, told

RUN = UUID(int=7)


def at(done: int, total: int = 4, *, over: bool = False, running: int = 0) -> Progress:
    state = RunState.SUCCEEDED if over else RunState.RUNNING
    return Progress(state, total=total, done=done, failed=0, running=running)


class Clock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def looks(*seen: Progress) -> Iterator[Progress]:
    yield from seen
    while True:
        yield seen[-1]


def test_a_run_is_followed_to_its_end() -> None:
    clock, source = Clock(), looks(at(0), at(2), at(2), at(4, over=True))
    seen = follow(RUN, timeout=60, clock=clock, pause=clock.pause, look=lambda _: next(source))
    assert [(progress.done, progress.is_over) for progress in seen] == [
        (0, False),
        (2, False),
        (2, False),
        (4, True),
    ]


def test_nothing_moving_for_long_asks_for_a_worker() -> None:
    clock, source = Clock(), looks(at(1))
    seen = follow(RUN, timeout=9999, clock=clock, pause=clock.pause, look=lambda _: next(source))
    with pytest.raises(DemoProblem, match=r"still running after .* \(1 of 4 nodes\): is a worker"):
        list(seen)
    assert STILL < clock.now < STILL + 1


def test_a_run_that_moves_for_ever_ends_the_patience_too() -> None:
    clock = Clock()
    source = (at(number, 10**6) for number in range(10**6))
    seen = follow(RUN, timeout=30, clock=clock, pause=clock.pause, look=lambda _: next(source))
    with pytest.raises(DemoProblem, match="still running"):
        list(seen)
    assert 30 < clock.now < 31


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_line_that_moves_and_goes_away() -> None:
    terminal, clock = Terminal(), Clock()
    display = Display(terminal, clock)
    display.show(at(1, running=2))
    clock.pause(0.2)
    display.show(at(3))
    display.show(at(3))  # nothing new, nothing written
    display.close()
    frames = terminal.getvalue().split("\r\x1b[2K")
    assert [frame.split("] ")[-1].split("  ")[0] for frame in frames[1:]] == [
        "1 of 4 nodes, 2 running",
        "3 of 4 nodes",
        "",
    ]
    assert "\n" not in terminal.getvalue()


def test_a_file_gets_a_line_a_second_at_most_and_always_the_last() -> None:
    out, clock = StringIO(), Clock()
    display = Display(out, clock)
    for done in range(4):
        display.show(at(done))
        clock.pause(0.4)
    display.show(at(4, over=True))
    display.close()
    assert [line.split(" nodes")[0].strip() for line in out.getvalue().splitlines()] == [
        "0 of 4",
        "3 of 4",
        "4 of 4",
    ]
    assert "\x1b" not in out.getvalue()


def test_counts_are_told_in_words_and_as_a_bar() -> None:
    progress = Progress(RunState.RUNNING, total=2000, done=500, failed=2, running=3)
    assert told(progress) == "500 of 2,000 nodes, 3 running, 2 failed"
    assert bar(progress).count("#") * 3 == bar(progress).count(".")
    assert "#" not in bar(Progress(RunState.PENDING, 0, 0, 0, 0))
