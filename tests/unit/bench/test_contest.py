from collections.abc import Mapping

import pytest

from benchmarks.contest import Contest
from benchmarks.sides import Hung, Launch, Wait, Wrong
from benchmarks.workloads import Workload

WORKLOADS = [
    Workload("W1", "one after another", (1,), runs=2),
    Workload("W4", "all at once", (1,), runs=2, at_once=True),
]


class Recorded:
    """A side that only writes down what is asked of it."""

    settings = ""
    worker_pid = 0

    def __init__(self, name: str, log: list[str], hangs: int = 0, ran: int = 2) -> None:
        self.name, self.log, self.hangs, self.ran = name, log, hangs, ran
        self.total = 0

    def start(self) -> None:
        self.log.append(f"{self.name} start")

    def stop(self) -> None:
        self.log.append(f"{self.name} stop")

    def recover(self) -> None:
        self.log.append(f"{self.name} recover")

    def families(self) -> Mapping[str, int]:
        return {}

    def launches(self, workload: Workload) -> list[Launch]:
        self.log.append(f"{self.name} {workload.name}")
        self.total += self.ran

        def launch() -> Wait:
            self.log.append("launch")
            return self._wait

        return [launch] * workload.runs

    def _wait(self, deadline: float) -> None:
        self.log.append("wait")
        if self.hangs:
            self.hangs -= 1
            raise Hung("it never came")

    def finish(self) -> None:
        pass

    def executed(self) -> int:
        return self.total

    def gaps(self, workload: Workload, timeout: float) -> list[float]:
        return [0.001]


def contest(*sides: Recorded, workloads: list[Workload] = WORKLOADS) -> Contest:
    return Contest(sides, workloads, timeout=1, tell=lambda _: None)


def test_the_sides_take_turns_and_so_does_who_is_first() -> None:
    log: list[str] = []
    held = contest(Recorded("a", log), Recorded("b", log), workloads=WORKLOADS[:1])

    held.repeat(3)

    turns = [entry for entry in log if "W1" in entry]
    assert turns == ["a W1", "b W1", "b W1", "a W1", "a W1", "b W1"]
    assert len(held.records["W1", "a"].samples) == 3


def test_runs_follow_one_another_or_are_submitted_at_once() -> None:
    log: list[str] = []

    contest(Recorded("a", log)).repeat(1)

    assert log == ["a W1", *["launch", "wait"] * 2, "a W4", *["launch"] * 2, *["wait"] * 2]


def test_a_run_that_hangs_is_told_and_the_contest_goes_on() -> None:
    log: list[str] = []
    held = contest(Recorded("a", log, hangs=1), workloads=WORKLOADS[:1])

    held.repeat(2)

    record = held.records["W1", "a"]
    assert record.hung == ["it never came"]
    assert len(record.samples) == 1
    assert "a recover" in log


def test_a_side_that_runs_too_many_nodes_is_refused() -> None:
    with pytest.raises(Wrong, match="3 nodes ran instead of 2"):
        contest(Recorded("a", [], ran=3)).warm_up()
