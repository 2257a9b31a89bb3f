"""Rows 1-4 and 21: processes that are killed, stopped, drained or poisoned."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from celesta.runs.models import NodeRun
from tests.faults.conftest import Stage
from tests.processes import WorkerProcess, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

TAKEOVER = 15.0


def second_attempt(stage: Stage, since: float) -> float:
    """Seconds from ``since`` until a second body began."""
    stage.began(2, deadline=TAKEOVER + 10)
    return time.monotonic() - since


def test_a_killed_child_is_taken_over(stage: Stage) -> None:
    # Given a node in mid body,
    worker = stage.worker(concurrency=1)
    gate = stage.directory / "open"
    run = stage.start(
        {"a": stage.node("test.gate", args={"path": str(gate)}), "b": stage.node("test.ok", "a")}
    )
    stage.began()
    # when its pool process is killed,
    killed = time.monotonic()
    os.kill(worker.children()[0], signal.SIGKILL)
    took = second_attempt(stage, killed)
    gate.touch()
    # then the next attempt begins in time, and the loss is told from a failure.
    assert stage.ends(run).state == "succeeded"
    print(f"takeover after kill -9 of a child: {took:.2f} s")
    assert took <= TAKEOVER
    row = NodeRun.objects.get(run_id=run.pk, scope=0, node=0)
    assert (row.attempt, row.losses) == (2, 1)
    assert len(stage.events(run, "lost")) == 1


def test_all_workers_killed_and_one_comes_back(stage: Stage) -> None:
    # Given a node in mid body,
    worker = stage.worker(concurrency=2)
    gate = stage.directory / "open"
    run = stage.start(
        {"a": stage.node("test.gate", args={"path": str(gate)}), "b": stage.node("test.ok", "a")}
    )
    stage.began()
    # when every worker is killed and, later, one is started,
    worker.kill_all()
    stage.worker(concurrency=1)
    back = time.monotonic()
    took = second_attempt(stage, back)
    gate.touch()
    # then the run goes on by itself.
    assert stage.ends(run).state == "succeeded"
    print(f"next attempt after a worker was back: {took:.2f} s")
    assert took <= TAKEOVER


def test_a_stopped_child_reports_too_late(stage: Stage) -> None:
    # Given two workers and a node in mid body,
    first = stage.worker(concurrency=1)
    gate = stage.directory / "open"
    run = stage.start({"a": stage.node("test.gate", args={"path": str(gate)})})
    stage.began()
    stage.worker(concurrency=1)
    child = first.children()[0]
    # when its process is stopped past its lease, and goes on after another took over,
    os.kill(child, signal.SIGSTOP)
    try:
        # The worker of the stopped process may first keep four messages that it cannot run.
        stage.began(2, deadline=45)
    finally:
        gate.touch()
        wait_for(lambda: "succeeded" in stage.states(run).values())
        os.kill(child, signal.SIGCONT)
    # then its late result is refused, and that is recorded.
    assert stage.ends(run).state == "succeeded"
    wait_for(lambda: stage.events(run, "refused"))


def test_a_rolling_restart_loses_nothing_and_runs_nothing_twice(stage: Stage) -> None:
    # Given a run of many short nodes,
    first = stage.worker(concurrency=2)
    nodes = {f"n{i}": stage.node("test.sleep", args={"seconds": 0.05}) for i in range(60)}
    run = stage.start(nodes)
    stage.began(5)
    # when the worker is replaced in mid run, the order to end going to its whole group,
    stage.worker(concurrency=2)
    os.killpg(os.getpgid(first.pid), signal.SIGTERM)
    first.wait_ended()
    # then every body has run exactly once.
    assert stage.ends(run).state == "succeeded"
    assert set(stage.bodies().values()) == {1}
    assert len(stage.bodies()) == 60
    assert not stage.events(run, "lost")


def test_a_long_node_keeps_nobody_waiting(stage: Stage) -> None:
    # Given one slot that batches short nodes, another one, and a long node in their midst,
    stage.worker(concurrency=2)
    nodes = {f"n{i}": stage.node("test.ok") for i in range(60)}
    gate = stage.directory / "open"
    nodes["n20"] = stage.node("test.gate", args={"path": str(gate)})
    began = time.monotonic()
    run = stage.start(nodes)
    # then the ones behind it are done by others meanwhile, without an attempt lost,
    wait_for(lambda: list(stage.states(run).values()).count("succeeded") == 59)
    print(f"59 short nodes around a long one: {time.monotonic() - began:.2f} s")
    # and each body has run once.
    gate.touch()
    assert stage.ends(run).state == "succeeded"
    assert set(stage.bodies().values()) == {1}
    assert set(NodeRun.objects.filter(run_id=run.pk).values_list("attempt", flat=True)) <= {0, 1}


@pytest.mark.parametrize("how", ["kill", "segfault", "exit"])
def test_a_poison_node_is_given_up_and_spares_its_siblings(stage: Stage, how: str) -> None:
    # Given a node that ends its process at every attempt, among others of its wave,
    stage.worker(concurrency=2)
    nodes = {f"ok{i}": stage.node("test.ok") for i in range(8)}
    run = stage.start({**nodes, "bad": stage.node("test.poison", args={"how": how})})
    # then it is given up after some losses, the others succeed, and the run ends.
    run = stage.ends(run, deadline=60)
    states = stage.states(run)
    assert states.pop("bad") == "failed"
    assert set(states.values()) == {"succeeded"}
    bad = NodeRun.objects.get(run_id=run.pk, scope=0, node=run.version.plan.by_name()["bad"].index)
    assert bad.losses == 3
    assert run.error
    assert run.error["node"] == "bad"


@pytest.fixture
def oom_killer() -> Iterator[Callable[[WorkerProcess], Counter[int]]]:
    """Kill pool processes that take more than 300 MiB, as the kernel does where memory ends."""
    ending = threading.Event()
    threads: list[threading.Thread] = []

    def watch(worker: WorkerProcess, killed: Counter[int]) -> None:
        while not ending.wait(0.05):
            for child in psutil.Process(worker.pid).children():
                with suppress(psutil.NoSuchProcess):
                    if child.memory_info().rss > 300 * 2**20:
                        child.kill()
                        killed[child.pid] = 1

    def start(worker: WorkerProcess) -> Counter[int]:
        killed: Counter[int] = Counter()
        threads.append(threading.Thread(target=watch, args=(worker, killed)))
        threads[-1].start()
        return killed

    yield start
    ending.set()
    for thread in threads:
        thread.join()


def test_a_node_that_eats_all_memory_is_given_up(
    stage: Stage, oom_killer: Callable[[WorkerProcess], Counter[int]]
) -> None:
    # Given a node that takes memory until its process is killed, among others of its wave,
    killed = oom_killer(stage.worker(concurrency=2))
    nodes = {f"ok{i}": stage.node("test.ok") for i in range(8)}
    run = stage.start({**nodes, "bad": stage.node("test.grow")})
    # then it is given up after three losses, and its siblings succeed.
    run = stage.ends(run, deadline=60)
    states = stage.states(run)
    assert states.pop("bad") == "failed"
    assert set(states.values()) == {"succeeded"}
    assert len(killed) == 3
    assert len(stage.events(run, "lost")) == 3


def test_a_memory_error_is_a_failure_of_that_node(stage: Stage) -> None:
    # Given a process whose memory is limited (`ulimit -v`), and a node that asks for more,
    worker = stage.worker(concurrency=1)
    children = worker.children()
    nodes = {"bad": stage.node("test.memory"), "after": stage.node("test.ok")}
    run = stage.ends(stage.start(nodes))
    # then that node has failed, nothing is lost, and the process serves the next one.
    assert (stage.states(run)["bad"], stage.states(run)["after"]) == ("failed", "succeeded")
    (failed,) = stage.events(run, "failed")
    assert failed.data
    assert "MemoryError" in str(failed.data)
    assert not stage.events(run, "lost")
    assert worker.children() == children


def test_a_hog_of_the_interpreter_keeps_its_lease(stage: Stage) -> None:
    # Given a node without a timeout that lets no other Python code of its process run, for
    # longer than a lease, and another worker that would take over,
    stage.worker(concurrency=1)
    run = stage.start({"a": stage.node("test.hog", args={"seconds": 12})})
    stage.began()
    stage.worker(concurrency=1)
    # then its process lives, so it is nobody else's, and its result is taken.
    run = stage.ends(run)
    assert run.state == "succeeded"
    assert set(stage.bodies().values()) == {1}
    assert not stage.events(run, "lost")
    assert not stage.events(run, "refused")
    began, ended = run.started_at, run.finished_at
    assert began
    assert ended
    assert (ended - began).total_seconds() >= 12


def test_sys_exit_in_a_node_is_a_failure_of_that_node(stage: Stage) -> None:
    stage.worker(concurrency=1)
    run = stage.ends(stage.start({"bad": stage.node("test.poison", args={"how": "sys.exit"})}))
    assert run.state == "failed"
    assert not stage.events(run, "lost")


@pytest.mark.parametrize("how", ["loop", "swallow", "blocked"])
def test_a_node_that_never_ends_meets_its_timeout(stage: Stage, how: str) -> None:
    # Given endless nodes: one that can be interrupted, one that swallows it, one blocked in C,
    stage.worker(concurrency=1, env={"CELESTA_TEST_GRACE": "1"})
    node = stage.node("test.poison", args={"how": how}, timeout="1s")
    # then the keeper ends them, and the slot serves the next node.
    run = stage.ends(stage.start({"bad": node, "after": stage.node("test.ok")}), deadline=40)
    assert stage.states(run)["bad"] == "failed"
    assert stage.states(run)["after"] == "succeeded"
    (failed,) = stage.events(run, "failed")
    assert failed.data
    assert failed.data["code"] == "timeout"
