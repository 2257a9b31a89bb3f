"""Rows 22, 24 and 27: results that cannot be kept, cancellation's races, and very large runs."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psutil
import pytest

from celesta.engine.awaiting import await_run
from celesta.engine.cancellation import cancel_run
from celesta.runs import connection
from celesta.runs.models import NodeRun, Output
from tests.faults.conftest import Stage
from tests.processes import wait_for
from tests.wire import Tap

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]


@pytest.mark.parametrize("kind", ["nul", "nan", "object", "deep", "huge", "bytes"])
def test_a_result_that_cannot_be_kept_fails_its_node(stage: Stage, kind: str) -> None:
    stage.worker(concurrency=1)
    run = stage.ends(stage.start({"bad": stage.node("test.result", args={"kind": kind})}))
    (failed,) = stage.events(run, "failed")
    assert run.state == "failed"
    assert failed.data
    assert failed.data["code"].startswith("result_")
    assert failed.data["message"]


def test_cancel_ends_a_running_node_and_refuses_its_result(stage: Stage) -> None:
    # Given a node in mid body and others behind it,
    stage.worker(concurrency=1)
    gate = stage.directory / "never"
    run = stage.start(
        {"a": stage.node("test.gate", args={"path": str(gate)}), "b": stage.node("test.ok", "a")}
    )
    stage.began()
    # when the run is cancelled, twice,
    assert cancel_run(run.pk, by="test").state == "cancelled"
    assert cancel_run(run.pk, by="test").state == "cancelled"
    # then nothing goes on, and the slot is free for the next run long before the gate would open.
    run = stage.ends(run)
    assert set(stage.states(run).values()) == {"cancelled"}
    other = stage.start({"a": stage.node("test.ok")})
    assert stage.ends(other).state == "succeeded"


def test_cancel_with_all_workers_down(stage: Stage) -> None:
    run = stage.start({"a": stage.node("test.ok"), "b": stage.node("test.ok", "a")})
    assert cancel_run(run.pk, by="test").state == "cancelled"
    stage.worker(concurrency=1)
    assert stage.ends(run).state == "cancelled"
    assert not stage.bodies()


def test_cancel_racing_completion_has_one_outcome(stage: Stage) -> None:
    # Given many short runs,
    stage.worker(concurrency=2)
    runs = [stage.start({f"n{i}": stage.node("test.ok") for i in range(5)}) for _ in range(20)]

    # when each is cancelled while it may be ending,
    def cancel(run_id: object) -> None:
        try:
            cancel_run(run_id, by="test")  # type: ignore[arg-type]
        except Exception as error:  # noqa: BLE001 - a run that has ended says so
            assert type(error).__name__ == "RunAlreadyFinished"  # noqa: PT017
        finally:
            connection.close()

    threads = [threading.Thread(target=cancel, args=(run.pk,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # then each has one final state, and its nodes agree with it.
    for run in map(stage.ends, runs):
        states = set(stage.states(run).values())
        assert states == {"succeeded"} if run.state == "succeeded" else "cancelled" in states


def test_a_thousand_deep_chain(stage: Stage) -> None:
    stage.worker(concurrency=2)
    nodes = {f"n{i}": stage.node("test.ok", *([f"n{i - 1}"] if i else [])) for i in range(1000)}
    run = stage.ends(stage.start(nodes), deadline=60)
    assert run.state == "succeeded"
    assert NodeRun.objects.filter(run_id=run.pk, state="succeeded").count() == 1001


def test_a_graph_of_ten_thousand_nodes(stage: Stage) -> None:
    worker = stage.worker(concurrency=2)
    nodes = {"first": stage.node("test.ok", args={"log": ""})}
    for layer in range(10):
        above = [f"l{layer - 1}_{k}" for k in (0, 1)] if layer else ["first"]
        nodes |= {
            f"l{layer}_{i}": stage.node("test.ok", *above, args={"log": ""}) for i in range(1000)
        }
    began = time.monotonic()
    run = stage.start(nodes)
    started = time.monotonic() - began
    stage.log.touch()
    run = stage.ends(run, deadline=120)
    memory = max(psutil.Process(p).memory_info().rss for p in [worker.pid, *worker.children()])
    print(
        f"10,001 nodes: published and started in {started:.1f} s, {memory / 2**20:.0f} MiB at most"
    )
    assert run.state == "succeeded"
    assert memory < 512 * 2**20


@pytest.mark.long
def test_a_map_of_a_hundred_thousand_items(stage: Stage, broker_url: str) -> None:
    # Given a list that a node made, since nobody sends so many items as params,
    if not broker_url.startswith("redis"):
        pytest.skip("messages are read by MONITOR, which RabbitMQ has not")
    count = 100_000
    worker = stage.worker(concurrency=2)
    numbers = {"function": "test.range", "args": {"count": count}}
    body = {"type": "transform", "with": {"output": "{{ item * 2 }}"}}
    tap = Tap(broker_url, [stage.queue])
    # when a map goes through it,
    began = time.monotonic()
    run = stage.start(
        {
            "numbers": {"type": "python", "queue": stage.queue, "with": numbers},
            "double": {
                "type": "map",
                "queue": stage.queue,
                "needs": ["numbers"],
                "with": {"over": "{{ nodes.numbers.output }}", "do": body},
            },
        }
    )
    run = await_run(run.pk, [], timeout=100)
    took = time.monotonic() - began
    memory = max(_peak_memory(pid) for pid in [worker.pid, *worker.children()])
    sizes = [message["size"] for message in tap.read()]
    print(
        f"{count:,} items: {took:.1f} s, {memory / 2**20:.0f} MiB at most, "
        f"{len(sizes)} messages of {max(sizes)} bytes at most"
    )
    # then the results are there in the order of the items, and nothing grew with their number.
    assert run.state == "succeeded", run.error
    (row,) = Output.objects.filter(run_id=run.pk, scope=0, node=1)
    assert row.value == [2 * item for item in range(count)]
    assert NodeRun.objects.filter(run_id=run.pk, scope__gt=0, state="succeeded").count() == count
    assert memory < 256 * 2**20
    assert max(sizes) < 64 * 1024
    assert took <= 60


def _peak_memory(pid: int) -> int:
    """The most resident memory (bytes) that a process has had."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():  # not on Linux: what it has now
        return int(psutil.Process(pid).memory_info().rss)
    (line,) = [row for row in status.read_text().splitlines() if row.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_async_nodes_share_their_slots(stage: Stage) -> None:
    # 200 nodes of one second of I/O on two slots, in five seconds (X17).
    stage.worker(concurrency=2)
    nodes = {f"n{i}": stage.node("test.asleep", args={"seconds": 1}) for i in range(200)}
    run = stage.start(nodes)
    stage.began(1)
    began = time.monotonic()
    run = stage.ends(run, deadline=30)
    took = time.monotonic() - began
    print(f"200 async nodes of 1 s on 2 slots: {took:.2f} s")
    assert run.state == "succeeded"
    assert took <= 5.0
    wait_for(lambda: sum(stage.bodies().values()) == 200)
