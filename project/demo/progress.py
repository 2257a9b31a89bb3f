"""How far a run has come, shown as one line that moves in a terminal, as few lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO
from uuid import UUID

from celesta.runs.models import Run
from celesta.runs.queries import counts_by_state
from celesta.runs.states import TERMINAL_NODE, NodeState, RunState, is_terminal
from project.demo.problems import DemoProblem

EVERY = 0.15  # seconds between two looks
PLAIN_EVERY = 1.0
#: Seconds without any change after which a missing worker is more likely than a slow node.
STILL = 120.0
WIDTH = 28


@dataclass(frozen=True)
class Progress:
    """How many node runs there are so far, and how many have come to an end."""

    state: RunState
    total: int
    done: int
    failed: int
    running: int

    @property
    def is_over(self) -> bool:
        """Tell whether the run has ended."""
        return is_terminal(self.state)


def read(run: UUID) -> Progress:
    """Return the progress of a run."""
    # The state first: the counts read after the end are the last ones.
    state = RunState(Run.objects.values_list("state", flat=True).get(pk=run))
    counts = counts_by_state(run)
    return Progress(
        state=state,
        total=sum(counts.values()),
        done=sum(counts.get(ended, 0) for ended in TERMINAL_NODE),
        failed=counts.get(NodeState.FAILED, 0),
        running=counts.get(NodeState.RUNNING, 0),
    )


def follow(
    run: UUID,
    *,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], object] = time.sleep,
    look: Callable[[UUID], Progress] = read,
) -> Iterator[Progress]:
    """Yield the progress again and again until the run is over.

    Raises DemoProblem when it takes longer than `timeout` seconds or nothing moves for too long.
    """
    begun = moved = clock()
    before: Progress | None = None
    while True:
        now = look(run)
        if now != before:
            before, moved = now, clock()
        yield now
        if now.is_over:
            return
        if clock() - begun > timeout or clock() - moved > STILL:
            raise DemoProblem(
                f"The run {run} is still {now.state} after {clock() - begun:.0f} s ({now.done} of "
                f"{now.total} nodes): is a worker running? It goes on when one is there; look at "
                "its page, or at the worker's log."
            )
        pause(EVERY)


class Display:
    """Shows progress on a terminal, or on anything else that takes text."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._moves = stream.isatty()
        self._clock = clock
        self._begun = clock()
        self._shown_at = float("-inf")
        self._shown = ""

    def show(self, progress: Progress) -> None:
        """Show it, unless it is what is shown already or (no terminal) was shown just now."""
        text = told(progress)
        now = self._clock()
        due = self._moves or now - self._shown_at >= PLAIN_EVERY or progress.is_over
        if text == self._shown or not due:
            return
        self._shown, self._shown_at = text, now
        seconds = f"{now - self._begun:5.1f} s"
        if self._moves:
            self._stream.write(f"\r\x1b[2K    {bar(progress)} {text}  {seconds}")
        else:
            self._stream.write(f"    {text}  {seconds}\n")
        self._stream.flush()

    def close(self) -> None:
        """Take the moving line away."""
        if self._moves:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()


def told(progress: Progress) -> str:
    """Return the counts in words."""
    parts = [f"{progress.done:,} of {progress.total:,} nodes"]
    if progress.running:
        parts.append(f"{progress.running:,} running")
    if progress.failed:
        parts.append(f"{progress.failed:,} failed")
    return ", ".join(parts)


def bar(progress: Progress) -> str:
    """Return a bar that is as full as the run is done."""
    full = WIDTH * progress.done // max(1, progress.total)
    return f"[{'#' * full}{'.' * (WIDTH - full)}]"
