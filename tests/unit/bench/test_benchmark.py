"""The whole benchmark on tiny graphs: what it prints and writes, not how fast anything is."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from project import ROOT
from tests.processes import PATH

#: Names what this run of the benchmark has in the servers and its processes.
KEY = f"benchtest{os.getpid()}"


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": PATH, "CELESTA_BENCH": KEY, **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture(autouse=True)
def _needs_redis() -> None:
    if not os.environ["BROKER_URL"].startswith(("redis", "valkey")):
        pytest.skip("raw canvas keeps its results in Redis: BROKER_URL names another broker")


def test_the_benchmark_tells_figures_of_both_sides_and_leaves_nothing(tmp_path: Path) -> None:
    done = run("--quick", "--profile", "--repeat", "1", "--json", str(tmp_path / "found.json"))

    assert done.returncode == 0, done.stderr + done.stdout
    found = read(tmp_path / "found.json")
    assert list(found["workloads"]) == ["W1", "W2", "W3", "W4"]
    for workload in found["workloads"].values():
        assert workload["ratio"] > 0
        for side in ("celesta", "raw"):
            figures = workload[side]
            assert figures["nodes_per_s"] > 0
            assert len(figures["all_nodes_per_s"]) == 1
            assert 0 < figures["transition_p50_ms"] <= figures["transition_p99_ms"]
            assert 0 < figures["cpu_ms_per_node"] < 1000
            assert figures["peak_rss_mb"] > 10
            assert figures["hung"] == []
            assert {"worker main", "worker pool", "client"} <= set(figures["cpu_ms_by_process"])
    settings = found["database"]["settings"]
    assert settings["synchronous_commit"] in done.stdout
    assert found["durable"] == (settings["fsync"] == settings["synchronous_commit"] == "on")
    assert ("NOT durable" in done.stdout) == (not found["durable"])
    assert "| W3: 10 layers x 10" in done.stdout
    assert "us/node" in done.stdout
    assert left_behind() == []


def test_single_calls_are_timed(tmp_path: Path) -> None:
    done = run("calls", "--quick", "--latency", "3ms", "--json", str(tmp_path / "calls.json"))

    assert done.returncode == 0, done.stderr + done.stdout
    found = read(tmp_path / "calls.json")
    assert found["database"]["settings"]["commit_delay"] == "3000"
    assert len(found["calls"]) == 4
    for cost in found["calls"].values():
        assert cost["count"] > 0
        assert 0 < cost["python"] < cost["wall"]
        assert cost["backend"] > 0


@pytest.mark.browser
def test_a_run_is_watched_in_a_browser(tmp_path: Path, chromium: str) -> None:
    path = tmp_path / "ui.json"
    done = run("ui", "--quick", "--parts", "run", "--json", str(path), CHROMIUM=chromium)

    assert done.returncode == 0, done.stderr + done.stdout
    found = read(path)["run_page"]
    assert found["nodes"] == 30
    (figures,) = found["figures"]
    assert figures["drawn_ms"] > 0
    assert figures["nodes_a_second"] > 0
    assert figures["messages"] >= 30, "the page was told of the nodes by the stream"
    assert figures["longest_task_ms"] >= 0
    assert figures["frames_in_each_second"]
    assert "frames a second meanwhile" in done.stdout
    assert left_behind() == []


def test_without_a_browser_it_says_what_is_missing(tmp_path: Path) -> None:
    path = str(tmp_path / "ui.json")
    done = run("ui", "--quick", "--parts", "run", "--json", path, CHROMIUM="/nowhere")

    assert done.returncode == 0, done.stderr + done.stdout
    assert "CHROMIUM names no program: /nowhere" in done.stdout


def test_a_broker_without_results_is_refused_with_the_cure() -> None:
    done = run("--quick", BROKER_URL="amqp://127.0.0.1:1//")

    assert done.returncode == 1
    assert "BROKER_URL must name a Redis or Valkey" in done.stderr
    assert "Traceback" not in done.stderr


def left_behind() -> list[str]:
    """Return the databases and processes that a benchmark should have taken with it."""
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        query = "SELECT datname FROM pg_database WHERE datname = %s"
        found = [name for (name,) in connection.execute(query, (f"celesta_{KEY}",)).fetchall()]
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("CELESTA_BENCH") == KEY:
                found.append(" ".join(process.cmdline()))
    return found
