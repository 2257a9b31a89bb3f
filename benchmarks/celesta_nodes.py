"""The node that does nothing, so that what is left is the engine; and those that keep a pace."""

import fcntl
import time
from pathlib import Path

import celesta
from benchmarks.workloads import FUNCTION

PACED, GATE = "benchmarks.paced", "benchmarks.gate"


@celesta.node(FUNCTION)
def noop() -> None:
    """Do nothing."""


@celesta.node(GATE)
def gate(path: str) -> None:
    """Wait until there is a file."""
    while not Path(path).exists():
        time.sleep(0.02)


@celesta.node(PACED)
def paced(path: str, rate: float) -> None:
    """Wait for one's turn: so many nodes a second, over all processes that share the file."""
    with Path(path).open("r+") as clock:
        fcntl.flock(clock, fcntl.LOCK_EX)
        turn = max(time.time(), float(clock.read() or 0) + 1 / rate)
        clock.seek(0)
        clock.write(f"{turn:.6f}")
    time.sleep(max(0.0, turn - time.time()))
