"""Row 23: what anybody who reaches the broker may write into a worker's queue."""

from __future__ import annotations

import json
import pickle
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection

from celesta.engine import canvas
from celesta.runs.models import Event, NodeRun, Run
from tests.faults.conftest import Stage, alive

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

JSON = "application/json"
PICKLE = "application/x-python-serialize"
YAML = "application/x-yaml"


class Bomb:
    """Unpickling it would end the process that does."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os._exit, (66,)


def head(**more: Any) -> dict[str, Any]:
    return {"task": canvas.ADVANCE, "id": str(uuid4()), "lang": "py", **more}


BOMB = pickle.dumps([[], {"run": Bomb()}, {}])
EMPTY = b"[[], {}, {}]"
#: Body, content type, content encoding, headers.
Message = tuple[bytes, str | None, str, dict[str, Any]]
REFUSED: list[Message] = [
    (BOMB, PICKLE, "binary", head()),
    (BOMB, PICKLE, "binary", {}),
    (BOMB, PICKLE, "binary", head(task="examples.shared_tasks.tasks.price")),
    (EMPTY, YAML, "utf-8", head()),
    (EMPTY, "application/x-strange", "utf-8", head()),
    (EMPTY, None, "utf-8", head()),
    (EMPTY, JSON, "no-such-encoding", head()),
    (EMPTY, JSON, "utf-8", head(compression="application/x-zip")),
]
MALFORMED: list[Message] = [
    *(
        (body, JSON, "utf-8", head())
        for body in (
            *(b"", b"hello", b'[[], {"run": "', b"\xff\xfe\x00", b"[" * 100_000),
            *(b"{}", b"5", b"null", b'"abc"', b"[[], {}]", b"[[], {}, {}, 1]"),
            *(b'["x", {}, {}]', b"[5, {}, {}]", b"[[], [1], {}]", b"[[], null, {}]"),
            *(b"[[], {}, [1]]", b'[[], {}, {"callbacks": 5, "chain": "x", "chord": [1]}]'),
            b'[[], {}, {"callbacks": [5], "chain": [null]}]',
        )
    ),
    *(
        (EMPTY, JSON, "utf-8", headers)
        for headers in (
            {"task": canvas.ADVANCE},  # no id
            head(id={"a": 1}),
            head(task=["a"]),
            head(task=None),
            head(eta="soon"),
            head(expires=[1]),
            head(timelimit=5),
            head(timelimit=["a", "b"]),
            head(retries="x"),
        )
    ),
    *(
        (body, JSON, "utf-8", {})  # Celery's protocol 1
        for body in (
            *(b"[1]", b"5", b"{}", b"hello", b'{"task": null}', b'{"task": []}'),
            *(b'{"task": "no.such.task"}', b'{"task": "celesta.advance"}'),
            b'{"task": "celesta.advance", "id": "x", "args": 5, "kwargs": 5}',
        )
    ),
]
UNKNOWN: list[Message] = [
    (EMPTY, JSON, "utf-8", head(task="no.such.task")),
    (EMPTY, JSON, "utf-8", {"task": "no.such.task"}),
    (EMPTY, JSON, "utf-8", head(task="celesta.no_such_task")),
]


def forged(run: Run) -> list[Message]:
    """Messages of the right form that name a node which waits, and are wrong in their arguments."""
    right = {"run": str(run.pk), "scope": 0, "node": 1, "via": "task", "v": canvas.PROTOCOL}

    def wrong(name: str, *values: Any) -> list[dict[str, Any]]:
        return [{**right, name: value} for value in values]

    advances: list[dict[str, Any]] = [
        {},
        {"run": str(run.pk)},
        {"run": "'; DROP TABLE celesta_run; --", "scope": 0, "node": 1},
        right,  # not released yet: its upstream has not ended
        *wrong("run", 5, None, [], {}, "x" * 100_000),
        *wrong("node", "1", 1.0, True, -1, 2**31, 2**63, 10**400, [1]),
        *wrong("scope", "0", -1, 2**40, {"a": 1}),
        *wrong("hint", "1", -1, 2**63, 10**15, []),
        *wrong("via", 5, None, []),
        *wrong("v", 0, 2, -1, "1", None, 10**30, []),
    ]
    answer = {"run": str(run.pk), "scope": 0, "node": 1, "attempt": 0, "ok": True}
    reports: list[dict[str, Any]] = [
        {},
        answer,  # it does not wait for an answer
        *({**answer, name: "1"} for name in ("scope", "node", "attempt", "ok")),
        *({**answer, name: 2**70} for name in ("scope", "node", "attempt")),
        {**answer, "node": 1000},
    ]
    ticks: list[dict[str, Any]] = [{}, {"timing": 5}, {"timing": "x" * 10**5}, {"timing": "no"}]
    marker = {"task": "examples.shared_tasks.tasks.price", "args": [1], "kwargs": {}, "options": {}}
    embed = {"callbacks": [marker], "chain": [marker]}
    return [
        (json.dumps([["result"], kwargs, embed]).encode(), JSON, "utf-8", head(task=task))
        for task, all_kwargs in (
            (canvas.ADVANCE, advances),
            (canvas.REPORT, reports),
            ("celesta.tick", ticks),
        )
        for kwargs in all_kwargs
    ]


def write(url: str, queue: str, messages: list[Message]) -> None:
    with Connection(url) as broker:
        producer = broker.Producer(auto_declare=False)
        for body, kind, encoding, headers in messages:
            producer.publish(
                body,
                exchange="",
                routing_key=queue,
                content_type=kind,
                content_encoding=encoding,
                headers=headers,
            )


def left(url: str, queue: str) -> int:
    """How many messages are in the queue (they are taken out)."""
    with Connection(url) as broker:
        channel: Any = broker.default_channel
        return int(channel.queue_purge(queue) or 0)


def assert_set_aside(stage: Stage, url: str, **options: Any) -> None:
    # Given a worker, and a run one of whose nodes waits for another that is in mid body,
    worker = stage.worker(concurrency=2, **options)
    gate = stage.directory / "open"
    run = stage.start(
        {"a": stage.node("test.gate", args={"path": str(gate)}), "b": stage.node("test.ok", "a")}
    )
    stage.began()
    children = set(worker.children())
    # when all these arrive, and a run after them,
    messages = [*REFUSED, *MALFORMED, *UNKNOWN, *forged(run)]
    write(url, stage.queue, messages)
    after = stage.start({"a": stage.node("test.ok")})
    assert stage.ends(after).state == "succeeded"
    # then they have started nothing,
    assert len(stage.bodies()) == 2
    assert stage.states(run)["b"] == "pending"
    kinds = Event.objects.filter(run_id=run.pk, scope=0, node=1).values_list("kind", flat=True)
    assert set(kinds) == {"refused"}  # the answer to a question that it has not asked
    # the worker and its processes are the same,
    assert alive(worker.pid)
    assert set(worker.children()) == children
    # each has been told of once,
    told = worker.output()
    assert "Task examples.shared_tasks.tasks.price[" not in told
    lines = [line for line in told.splitlines() if "was set aside" in line]
    print(f"{len(messages)} messages, {len(lines)} lines")
    assert all(f"queue '{stage.queue}'" in line for line in lines)
    assert len(lines) >= 60
    assert "Restarting" not in told
    assert "Unrecoverable" not in told
    assert "Pool callback raised" not in told
    # what was at work goes on,
    gate.touch()
    assert stage.ends(run).state == "succeeded"
    assert set(stage.bodies().values()) == {1}
    assert NodeRun.objects.get(run_id=run.pk, scope=0, node=1).attempt == 1
    # and none comes back, also not of those that a worker gives back at its end.
    worker.stop()
    assert left(url, stage.queue) == 0


def test_malformed_and_forged_messages_are_set_aside(stage: Stage, broker_url: str) -> None:
    assert_set_aside(stage, broker_url)


def test_also_on_a_pool_of_threads(stage: Stage, broker_url: str) -> None:
    assert_set_aside(stage, broker_url, pool="threads")


@pytest.mark.external
def test_also_on_rabbitmq(stage: Stage, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = canvas.app()
    monkeypatch.setattr(
        app, "connection_for_write", partial(app.connection_for_write, rabbitmq_url)
    )
    canvas._publisher.drop()
    try:
        assert_set_aside(stage, rabbitmq_url, env={"BROKER_URL": rabbitmq_url})
    finally:
        canvas._publisher.drop()


def test_pickle_is_not_read_even_where_it_is_accepted(stage: Stage, broker_url: str) -> None:
    # Given a project whose own tasks travel as pickle, and whose worker reads it,
    env = {"DJANGO_SETTINGS_MODULE": "tests.settings.pickling", "C_FORCE_ROOT": "1"}
    worker = stage.worker(concurrency=1, env=env)
    # when a pickle comes as a message of ours, that would end the process which reads it,
    write(broker_url, stage.queue, [(BOMB, PICKLE, "binary", head())])
    # then it is set aside unread, and runs go on.
    assert stage.ends(stage.start({"a": stage.node("test.ok")})).state == "succeeded"
    assert "was set aside: it is not JSON" in worker.output()
    assert alive(worker.pid)
