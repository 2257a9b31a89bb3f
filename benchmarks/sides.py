"""What both contestants have in common: how a run is submitted and waited for."""

from collections.abc import Callable, Mapping
from typing import Protocol

from benchmarks.workloads import Workload

#: Waits for one run; takes the moment (time.monotonic) when patience ends, raises Hung then.
Wait = Callable[[float], None]
#: Submits one run.
Launch = Callable[[], Wait]


class Hung(Exception):
    """A run has not ended in time."""


class Wrong(Exception):
    """A side did not run the nodes of a graph, each once."""


class Side(Protocol):
    """A contestant with its worker."""

    name: str

    def start(self) -> None:
        """Start the worker."""

    def stop(self) -> None:
        """End the worker."""

    def recover(self) -> None:
        """After a run that hung: begin anew with nothing under way."""

    def families(self) -> Mapping[str, int]:
        """Return the root processes whose CPU time is this side's, by what they are."""

    @property
    def worker_pid(self) -> int:
        """Return the number of the worker's main process."""

    @property
    def settings(self) -> str:
        """Return what the worker was started with."""

    def launches(self, workload: Workload) -> list[Launch]:
        """Return one launch for each run of a measurement; building graphs is not measured."""

    def finish(self) -> None:
        """Clear up after a measurement, unmeasured."""

    def executed(self) -> int:
        """Return how many nodes have been executed so far."""

    def gaps(self, workload: Workload, timeout: float) -> list[float]:
        """Return the transitions of some runs, in seconds."""
