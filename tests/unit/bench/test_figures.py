import math

import pytest

from benchmarks import report
from benchmarks.contest import Record, Sample
from benchmarks.gaps import gaps, percentile
from benchmarks.workloads import Workload

WORKLOAD = Workload("W1", "chain of 2", (1, 1), runs=5)


def test_a_transition_begins_when_the_last_upstream_has_ended() -> None:
    layers = [[(0.0, 1.0), (0.0, 3.0)], [(3.5, 4.0), (5.0, 6.0)], [(7.0, 8.0)]]

    assert gaps(layers) == [0.5, 2.0, 1.0]


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 5), (99, 10), (100, 10), (1, 1), (0, 1), (90, 9)]
)
def test_percentiles_are_values_that_occurred(percent: float, expected: float) -> None:
    assert percentile([10, 1, 9, 2, 8, 3, 7, 4, 6, 5], percent) == expected


def test_no_values_have_no_percentile() -> None:
    assert math.isnan(percentile([], 50))


def record(*seconds: float, hung: int = 0) -> Record:
    samples = [Sample(each, {"worker": 0.01, "client": 0.02}, 100.0 + each) for each in seconds]
    return Record(samples, ["a run hung"] * hung, [0.001, 0.002, 0.009])


def test_figures_are_medians_over_the_samples() -> None:
    found = report.figures(record(1.0, 0.1, 0.2), nodes=10)

    assert found.nodes_per_s == 50
    assert found.all_nodes_per_s == [10, 100, 50]
    assert found.cpu_ms_per_node == 3.0
    assert found.cpu_ms_by_process == {"worker": 1.0, "client": 2.0}
    assert (found.transition_p50_ms, found.transition_p99_ms) == (2.0, 9.0)
    assert found.peak_rss_mb == 101.0


def test_a_side_that_never_ended_has_no_ratio() -> None:
    records = {("W1", "celesta"): record(0.1), ("W1", "raw"): Record(hung=["it hung"])}

    found = report.summary([WORKLOAD], records)

    assert found["W1"]["ratio"] is None
    assert found["W1"]["raw"]["nodes_per_s"] is None
    assert "(1 hung)" in report.table(found)


def test_the_table_has_a_line_for_each_side_and_the_ratio_once() -> None:
    records = {("W1", "celesta"): record(0.1), ("W1", "raw"): record(0.4, hung=1)}

    lines = report.table(report.summary([WORKLOAD], records)).splitlines()

    assert [line.count("|") for line in lines] == [len(report.COLUMNS) + 1] * 4
    assert "| celesta |" in lines[2]
    assert lines[2].rstrip(" |").endswith("4.00")
    assert "| raw " in lines[3]
    assert "25 (1 hung)" in lines[3]


def test_the_profile_tells_microseconds_a_node() -> None:
    records = {("W1", "celesta"): record(0.1), ("W1", "raw"): record(0.4)}

    text = report.profile(report.summary([WORKLOAD], records))

    assert "W1 celesta  worker 1000, client 2000 us/node" in text
