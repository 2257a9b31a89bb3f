"""Ending recorded processes: in order of rank, gently, within bounds, whole groups at the end."""

import os
import signal
import time
from collections.abc import Callable, Iterable
from itertools import groupby
from math import inf
from pathlib import Path

from project.processes.record import Record, read_all

POLL = 0.05
KILL_WAIT = 2.0


def end_all(
    records: Iterable[Record], *, pace: float = 1.0, hurry: Callable[[], bool] = lambda: False
) -> None:
    """End the processes of all records, rank by rank.

    `pace` stretches (or below 1 shortens) the time that each signal is given. Once `hurry()` is
    true the first rank is given no more time; servers always have theirs, to keep their data.
    """
    ranked = sorted(records, key=lambda record: record.ending.rank)
    for rank, same_rank in groupby(ranked, key=lambda record: record.ending.rank):
        _end_together(list(same_rank), pace, hurry if rank == 0 else lambda: False)


def sweep(
    directory: Path, *, pace: float = 1.0, hurry: Callable[[], bool] = lambda: False
) -> list[str]:
    """End whatever the records of a directory name, delete them, return the names that ran."""
    records = read_all(directory)
    running = [record.name for record in records if record.process() or record.family()]
    end_all(records, pace=pace, hurry=hurry)
    for path in directory.glob("*.json"):
        path.unlink(missing_ok=True)
    return running


def _end_together(records: list[Record], pace: float, hurry: Callable[[], bool]) -> None:
    """Walk each record through its own signals at the same time, then kill what is left."""
    begun = time.monotonic()
    sent = dict.fromkeys((record.pid for record in records), 0)
    waiting = records
    while waiting := [record for record in waiting if record.process()]:
        elapsed = inf if hurry() else time.monotonic() - begun
        for record in waiting:
            stages = _stages_due(record, elapsed, pace)
            for number in stages[sent[record.pid] :]:
                _signal(record.pid, number)
            sent[record.pid] = max(sent[record.pid], len(stages))
        waiting = [record for record in waiting if elapsed < _patience(record, pace)]
        time.sleep(POLL)
    _kill_families(records)


def _stages_due(record: Record, elapsed: float, pace: float) -> list[int]:
    """Return the signals whose turn has come after `elapsed` seconds."""
    due, begins = [], 0.0
    for number, grace in record.ending.signals:
        if elapsed >= begins:
            due.append(number)
        begins += grace * pace
    return due


def _patience(record: Record, pace: float) -> float:
    """Return the seconds after which a process is killed."""
    return sum(grace for _, grace in record.ending.signals) * pace


def _kill_families(records: list[Record]) -> None:
    """Kill every process left in the groups, and wait until they are gone."""
    deadline = time.monotonic() + KILL_WAIT
    while left := [process for record in records for process in record.family()]:
        for process in left:
            _signal(process.pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return
        time.sleep(POLL)


def _signal(pid: int, number: int) -> None:
    """Send a signal to a process that may have just ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
