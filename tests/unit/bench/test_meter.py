import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from benchmarks.meter import APART, CpuMeter, cpu_seconds, family, forget_peak, peak_mb

BURN = "import time\nwhile time.process_time() < {}: pass\n"
#: Burns some time itself, has a child that burns more and is buried, and then waits.
PARENT = (
    f"import subprocess, sys\n{BURN.format(0.15)}"
    f"subprocess.run([sys.executable, '-c', '''{BURN.format(0.3)}'''])\n"
    "print('burnt', flush=True)\nsys.stdin.read()\n"
)


@pytest.fixture
def parent() -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == b"burnt\n"
    yield process.pid
    process.communicate(timeout=10)


def test_the_time_of_a_family_has_that_of_buried_children(parent: int) -> None:
    assert 0.4 < cpu_seconds(parent) < 4.0


def test_a_meter_reads_what_was_used_since_and_tells_the_first_process_apart(parent: int) -> None:
    meter = CpuMeter({APART[0]: parent, "self": os.getpid()})
    before = time.process_time()
    while time.process_time() < before + 0.1:
        pass
    used = meter.used()

    assert used["self"] >= 0.1
    assert used[f"{APART[0]} main"] + used[f"{APART[0]} pool"] < 0.05


def test_a_process_that_has_gone_counts_for_nothing(parent: int) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    assert family(gone.pid) == []
    assert cpu_seconds(gone.pid) == 0
    assert peak_mb(gone.pid) == 0


def test_the_peak_of_memory_is_told_in_mb(parent: int) -> None:
    forget_peak(parent)

    assert 2 < peak_mb(parent) < 200
