"""What listeners to worker events are told of nodes, as Celery's own model of events takes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from celery import Celery
from celery.events import Event
from celery.events.state import State
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError

from celesta.engine import canvas
from celesta.engine.plans import LoadedPlan
from celesta.runs.calls import Report
from celesta_worker import monitor
from tests.unit.graph.support import chain, flow, plan_of

RUN = "01a1fcca-47f5-713d-821c-e054320a8b36"
TROUBLE = '{"code": "timeout", "message": "did not end within 3 s"}'


class Listener:
    """A dispatcher that hands its events straight to Celery's model of them."""

    def __init__(self) -> None:
        self.state: Any = State()
        self.flushed = 0

    def send(self, kind: str, **fields: Any) -> None:
        self.state.event(Event(kind, hostname="w1", local_received=0, clock=0, **fields))

    def flush(self) -> None:
        self.flushed += 1

    def seen(self) -> list[tuple[str, str]]:
        return sorted((task.name, task.state) for task in self.state.tasks.values())


@pytest.fixture
def loaded() -> LoadedPlan:
    return LoadedPlan(1, 1, "shop.orders", 1, plan_of(flow(chain("a", "b"))))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Whether somebody listens."""
    page = SimpleNamespace(events=True)
    monkeypatch.setattr(monitor, "current", lambda: SimpleNamespace(worker_page=page))
    return page


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch, watched: SimpleNamespace) -> Listener:
    listener = Listener()
    teller = monitor._Teller()
    monkeypatch.setattr(teller, "get", lambda: listener)
    monkeypatch.setattr(monitor, "_teller", teller)
    return listener


def report(node: int, state: str, attempt: int = 1, **rest: Any) -> Report:
    return Report(0, node, attempt, state, began=2.0, ended=0.5, **rest)


def test_all_nodes_of_a_report_travel_at_once(loaded: LoadedPlan, listener: Listener) -> None:
    monitor.finished(loaded, RUN, [report(0, "succeeded"), report(1, "failed", error=TROUBLE)])
    assert listener.seen() == [("shop.orders.a", "SUCCESS"), ("shop.orders.b", "FAILURE")]
    assert listener.flushed == 1
    for task in listener.state.tasks.values():
        assert task.runtime == pytest.approx(1.5)
        assert task.succeeded or task.failed
    failed = listener.state.tasks[f"{RUN}:0:b"]
    assert failed.exception == "timeout: did not end within 3 s"


def test_a_retried_node_is_one_row(loaded: LoadedPlan, listener: Listener) -> None:
    again = report(0, "waiting", error=TROUBLE, kind="retry", delay=1.0)
    monitor.finished(loaded, RUN, [again])
    assert listener.seen() == [("shop.orders.a", "RETRY")]
    monitor.finished(loaded, RUN, [report(0, "succeeded", attempt=2)])
    assert listener.seen() == [("shop.orders.a", "SUCCESS")]
    assert listener.state.tasks[f"{RUN}:0:a"].retries == 1


def test_a_node_that_waits_for_another_worker_has_begun(
    loaded: LoadedPlan, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor.finished(loaded, RUN, [report(0, "waiting", kind="retry", delay=60.0)])
    assert listener.seen() == [("shop.orders.a", "STARTED")]
    monkeypatch.setattr(monitor, "one", lambda *_: (100.0, 103.0))
    monitor.answered(loaded, RUN, report(0, "failed", error=TROUBLE))
    assert listener.seen() == [("shop.orders.a", "FAILURE")]
    assert listener.state.tasks[f"{RUN}:0:a"].runtime == 3.0


def test_nothing_is_sent_while_nobody_listens(
    loaded: LoadedPlan, listener: Listener, watched: SimpleNamespace
) -> None:
    watched.events = False
    monitor.finished(loaded, RUN, [report(0, "succeeded")])
    assert not listener.flushed


@pytest.mark.parametrize(
    "error", [RedisConnectionError("gone"), OperationalError("gone"), psycopg.OperationalError()]
)
def test_a_broker_that_is_gone_stops_no_work(
    loaded: LoadedPlan,
    watched: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    # Given a broker that fails each event,
    app = Celery("watched", broker="redis://127.0.0.1:1/0", set_as_current=False)
    monkeypatch.setattr(canvas, "app", lambda: app)
    teller, tries = monitor._Teller(), []
    monkeypatch.setattr(monitor, "_teller", teller)

    def broken(*_: Any, **__: Any) -> None:
        tries.append(1)
        raise error

    teller.get().flush = broken
    # when nodes are reported, then the worker goes on, and leaves it alone for a while.
    for _ in range(3):
        monitor.finished(loaded, RUN, [report(0, "succeeded")])
    assert len(tries) == 1
