"""The contest: both sides in turn on each workload, several times, on the same servers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.meter import CpuMeter, forget_peak, peak_mb
from benchmarks.sides import Hung, Launch, Side, Wrong
from benchmarks.workloads import Workload

CLIENT = "client"


@dataclass(frozen=True)
class Sample:
    """One measurement: `seconds` until the last run had ended, CPU seconds by kind of process."""

    seconds: float
    cpu: dict[str, float]
    peak_mb: float


@dataclass
class Record:
    """What one side did on one workload. `gaps` are transitions in seconds."""

    samples: list[Sample] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)


Records = dict[tuple[str, str], Record]


def measure(side: Side, workload: Workload, timeout: float) -> Sample:
    """Run a workload once on a side; raises Hung."""
    launches = side.launches(workload)
    forget_peak(side.worker_pid)
    meter = CpuMeter(side.families())
    client = time.process_time()
    began = time.perf_counter()
    _perform(launches, workload, timeout)
    seconds = time.perf_counter() - began
    # Before the meter looks at the system's processes, which costs some itself.
    client = time.process_time() - client
    return Sample(seconds, {**meter.used(), CLIENT: client}, peak_mb(side.worker_pid))


def _perform(launches: Sequence[Launch], workload: Workload, timeout: float) -> None:
    if workload.at_once:
        waits = [launch() for launch in launches]
        deadline = time.monotonic() + timeout
        for wait in waits:
            wait(deadline)
    else:
        for launch in launches:
            launch()(time.monotonic() + timeout)


class Contest:
    """Alternates the sides, and keeps what they did."""

    def __init__(
        self,
        sides: Sequence[Side],
        workloads: Sequence[Workload],
        *,
        timeout: float,
        tell: Callable[[str], None],
    ) -> None:
        self._sides, self._workloads = sides, workloads
        self._timeout, self._tell = timeout, tell
        self.records: Records = {
            (workload.name, side.name): Record() for workload in workloads for side in sides
        }

    def warm_up(self) -> None:
        """Run everything once; raise Wrong if a side ran more or fewer nodes than the graph has."""
        for workload in self._workloads:
            for side in self._sides:
                before = side.executed()
                measure(side, workload, self._timeout)
                side.finish()
                ran = side.executed() - before
                if ran != workload.nodes:
                    raise Wrong(
                        f"{workload.name} on {side.name}: {ran} nodes ran instead of "
                        f"{workload.nodes}"
                    )
                self._tell(f"  {workload.name} {side.name:<8} runs its {ran} nodes")

    def repeat(self, times: int) -> None:
        """Measure everything so often; who is first changes from one time to the next."""
        for number in range(times):
            order = self._sides if number % 2 == 0 else self._sides[::-1]
            for workload in self._workloads:
                for side in order:
                    self._once(side, workload, number + 1)

    def take_gaps(self) -> None:
        """Take the transitions of each side on each workload."""
        for workload in self._workloads:
            for side in self._sides:
                record = self.records[workload.name, side.name]
                try:
                    record.gaps = side.gaps(workload, self._timeout)
                except Hung as error:
                    self._hung(side, record, error)

    def _once(self, side: Side, workload: Workload, number: int) -> None:
        record = self.records[workload.name, side.name]
        try:
            sample = measure(side, workload, self._timeout)
        except Hung as error:
            self._hung(side, record, error)
            return
        side.finish()
        record.samples.append(sample)
        self._tell(
            f"  {number}. {workload.name} {side.name:<8}"
            f"{workload.nodes / sample.seconds:8.0f} nodes/s"
        )

    def _hung(self, side: Side, record: Record, error: Hung) -> None:
        record.hung.append(str(error))
        self._tell(f"  {side.name} hung: {error}; its worker is started anew")
        side.recover()
