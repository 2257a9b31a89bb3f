"""Which prefetch multiplier serves raw canvas best here: a short trial of some."""

from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path

from benchmarks.contest import measure
from benchmarks.raw_side import RawSide
from benchmarks.sides import Hung
from benchmarks.workloads import WORKLOADS, Workload

CANDIDATES = (1, 4, 16, 64)
ROUNDS = 2


def best_prefetch(
    directory: Path, concurrency: int, timeout: float, tell: Callable[[str], None]
) -> int:
    """Return the multiplier with the highest speed over all workloads (geometric mean)."""
    speeds = {number: _speed(directory, concurrency, number, timeout) for number in CANDIDATES}
    shown = ", ".join(f"{number}: {speed:.0f}" for number, speed in speeds.items())
    tell(f"  prefetch multipliers of raw canvas, nodes/s over all workloads: {shown}")
    return max(speeds, key=lambda number: speeds[number])


def _speed(directory: Path, concurrency: int, prefetch: int, timeout: float) -> float:
    """Return nodes/s with a multiplier; 0 when a run hung."""
    side = RawSide(directory, concurrency, prefetch, {})
    side.start()
    try:
        for workload in _trials():
            measure(side, workload, timeout)  # to warm up
            side.finish()
        found = [_best(side, workload, timeout) for workload in _trials()]
    except Hung:
        return 0.0
    finally:
        side.stop()
    return float(prod(found) ** (1 / len(found)))


def _trials() -> list[Workload]:
    return [
        replace(workload, runs=max(1, min(workload.runs, 40, 400 // workload.size)))
        for workload in WORKLOADS
    ]


def _best(side: RawSide, workload: Workload, timeout: float) -> float:
    speeds = []
    for _ in range(ROUNDS):
        speeds.append(workload.nodes / measure(side, workload, timeout).seconds)
        side.finish()
    return max(speeds)
