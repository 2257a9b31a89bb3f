"""A run is followed live by SSE, over web processes, with nothing missed and nothing twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from psycopg.types.json import Jsonb

from celesta.runs import connection
from celesta.runs.models import Event, LogLine, Run
from tests.faults.conftest import Stage
from tests.integration.streams.conftest import Caller
from tests.integration.streams.readers import Told, followed, messages
from tests.processes import wait_for
from tests.webs import WebProcess

pytestmark = pytest.mark.django_db(transaction=True)

Web = Callable[..., WebProcess]


def everything(run: Run) -> tuple[list[int], list[int]]:
    """Ids of all events and log lines of a run, in order."""
    events = Event.objects.filter(run_id=run.pk).order_by("id").values_list("id", flat=True)
    lines = LogLine.objects.filter(run_id=run.pk).order_by("number")
    return list(events), list(lines.values_list("number", flat=True))


def ids(told: list[Told]) -> tuple[list[int], list[int]]:
    return (
        [one.data["id"] for one in told if one.event == "event"],
        [one.data["id"] for one in told if one.event == "log"],
    )


def test_a_run_is_followed_from_its_beginning_to_its_end(
    stage: Stage, web: Web, token: str
) -> None:
    stage.worker()
    server = web()
    run = stage.start({"a": stage.node("test.speak"), "b": stage.node("test.ok", "a")})

    with followed(server, f"runs/{run.pk}/stream/", token) as stream:
        told = list(stream)

    assert ids(told) == everything(run)
    assert [one.event for one in told][-1] == "end"
    assert told[-1].data == {"run": str(run.pk), "state": "succeeded"}
    first = told[0].data
    assert (first["kind"], first["workflow"]) == ("run_pending", run.workflow.name)
    line = next(one.data for one in told if one.event == "log")
    assert (line["node"], line["level"], line["text"]) == ("a", "INFO", "logged a")
    # Who comes back after the end is told to stay away; who asks again for all of it gets it.
    again = {"Authorization": f"Bearer {token}"}
    address = f"{server.url}/api/v1/runs/{run.pk}/stream/"
    gone = httpx.get(address, headers={**again, "Last-Event-ID": told[-1].id}, timeout=60)
    assert (gone.status_code, gone.content) == (204, b"")
    with followed(server, f"runs/{run.pk}/stream/", token) as stream:
        assert ids(list(stream)) == everything(run)


def test_a_stream_goes_on_in_another_process_while_many_workers_write(
    stage: Stage, web: Web, token: str
) -> None:
    for _ in range(2):
        stage.worker(concurrency=2)
    first, second = web(), web()
    each = {
        "type": "python",
        "with": {"function": "test.chatter", "args": {"lines": 2, "width": 9}},
    }
    run = stage.start({
        "over": stage.node("test.range", args={"count": 300}) | {
            "with": {"function": "test.range", "args": {"count": 300}}},
        "each": {"type": "map", "needs": ["over"], "queue": stage.queue,
                 "with": {"over": "{{ nodes.over.output }}", "do": each}},
    })  # fmt: skip

    told: list[Told] = []
    servers = [first, second]
    deadline = time.monotonic() + 120
    while not told or told[-1].event != "end":
        assert time.monotonic() < deadline, f"{len(told)} messages, and no end"
        headers = {"Last-Event-ID": told[-1].id} if told else {}
        server = servers[len(told) % 2]
        with followed(server, f"runs/{run.pk}/stream/", token, **headers) as stream:
            told += islice(stream, 37)  # then the connection is lost

    assert stage.ends(run).state == "succeeded"
    assert ids(told) == everything(run)
    assert len(ids(told)[1]) == 600


def test_what_is_committed_late_is_not_missed(stage: Stage, web: Web, token: str) -> None:
    server = web()
    run = stage.start({"a": stage.node("test.ok")})  # no worker: only we write
    with followed(server, f"runs/{run.pk}/stream/", token) as stream:
        list(islice(stream, 2))  # it has begun
        with connection.connect() as slow, slow.transaction():
            insert = (
                "INSERT INTO celesta_event (run_id, at, kind, data)"
                " VALUES (%s, clock_timestamp(), %s, %s) RETURNING id"
            )
            (early,) = slow.execute(insert, (run.pk, "slow", Jsonb({}))).fetchone()  # type: ignore[misc]
            (late,) = connection.one(insert, (run.pk, "quick", Jsonb({})))
            # The poller has to look twice and tell nothing: there is nothing to wait for.
            time.sleep(1.5)
        assert [one.data["id"] for one in islice(stream, 2)] == [early, late]


def test_a_workspace_is_followed_from_now_on_and_only_what_was_asked_for(
    stage: Stage, web: Web, token: str, token_of: Caller
) -> None:
    stage.worker()
    server = web()
    before = stage.ends(stage.start({"a": stage.node("test.ok")}))
    got, told = list[Told](), list[Told]()
    filters = "kind=run_pending,run_succeeded"

    def follow() -> None:
        with followed(server, f"stream/?{filters}", token) as stream:
            opened.set()
            while len(of_both := [one for one in got if one.data["run"] != str(before.pk)]) < 4:
                got.append(next(stream))
            told.extend(of_both)

    opened = threading.Event()
    reader = threading.Thread(target=follow)
    reader.start()
    assert opened.wait(60)

    def is_heard() -> bool:
        """The stream begins with the next look of its poller: say something until it is told."""
        connection.rows(
            "INSERT INTO celesta_event (run_id, at, kind, data)"
            " VALUES (%s, clock_timestamp(), 'run_pending', '{}')",
            (before.pk,),
        )
        return bool(got)

    wait_for(is_heard)
    runs = [stage.start({"a": stage.node("test.ok")}) for _ in range(2)]
    for run in runs:
        stage.ends(run)
    reader.join(60)

    assert {one.data["run"] for one in told} == {str(run.pk) for run in runs}
    assert sorted(one.data["kind"] for one in told) == ["run_pending"] * 2 + ["run_succeeded"] * 2
    assert {one.data["kind"] for one in got} == {"run_pending", "run_succeeded"}
    ids_told = [int(one.id.split(".")[0]) for one in got]
    assert ids_told == sorted(ids_told)
    assert ids_told[0] > Event.objects.filter(run_id=before.pk, kind="run_succeeded").get().pk
    # From an earlier message on it tells of what was before, too.
    oldest = Event.objects.filter(run_id=before.pk).order_by("id").values_list("id", flat=True)[0]
    with followed(server, f"stream/?{filters}&after={oldest - 1}.0", token) as stream:
        assert [one.data["run"] for one in islice(stream, 2)] == [str(before.pk)] * 2


def test_a_log_line_is_seen_soon(stage: Stage, web: Web, token: str, tmp_path: Path) -> None:
    stage.worker()
    server = web()
    gate = tmp_path / "go on"
    run = stage.start({"a": stage.node("test.speak", args={"path": str(gate)})})

    with followed(server, f"runs/{run.pk}/stream/", token) as stream:
        behind = []
        for one in stream:
            if one.event == "log":
                said = time.time() - moment(one.data["at"])
                behind.append(said)
                if len(behind) == 6:
                    break
    gate.touch()
    print(f"log lines were seen at most {max(behind):.3f} s after they were said")
    assert max(behind) <= 5
    stage.ends(run)


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize("place", ["stream/", "runs/{run}/stream/"])
def test_who_may_not_see_is_refused_before_the_first_byte(
    stage: Stage, web: Web, token_of: Caller, place: str
) -> None:
    server = web()
    run = stage.start({"a": stage.node("test.ok")})
    url = f"{server.url}/api/v1/{place.format(run=run.pk)}"

    def refused(status: int, code: str, url: str = url, **headers: str) -> httpx.Response:
        answer = httpx.get(url, headers=headers, timeout=60)
        assert answer.status_code == status, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == code
        return answer

    assert refused(401, "not_authenticated").headers["WWW-Authenticate"] == "Bearer"
    refused(401, "invalid_token", Authorization="Bearer celesta_wrong")
    stranger = {"Authorization": f"Bearer {token_of(slug='other')}"}
    if "{run}" in place:
        refused(404, "run_not_found", **stranger)
    else:
        named = {"X-Celesta-Workspace": "default"}
        refused(404, "workspace_not_found", **stranger, **named)
    ours = {"Authorization": f"Bearer {token_of()}"}
    refused(400, "invalid_query", f"{url}?after=nonsense", **ours)
    refused(400, "invalid_query", **ours, **{"Last-Event-ID": "-1"})


def test_a_caller_may_open_only_so_many(
    stage: Stage, web: Web, token: str, token_of: Caller
) -> None:
    server = web(CELESTA_TEST_STREAMS="2")
    run = stage.start({"a": stage.node("test.ok")})
    path = f"runs/{run.pk}/stream/"
    with followed(server, path, token) as one, followed(server, path, token) as other:
        next(one), next(other)
        headers = {"Authorization": f"Bearer {token}"}
        answer = httpx.get(f"{server.url}/api/v1/{path}", headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
        assert int(answer.headers["Retry-After"]) > 0
        with followed(server, path, token_of()) as stream:  # somebody else's are counted apart
            next(stream)

    def is_let_in() -> bool:
        url = f"{server.url}/api/v1/{path}?after=9.9.end"
        return httpx.get(url, headers=headers, timeout=60).status_code == 204

    wait_for(is_let_in, told=lambda: "a closed stream counts still")


def test_many_idle_streams_share_one_poller(stage: Stage, web: Web, token: str) -> None:
    server = web(CELESTA_TEST_STREAMS="100")
    run = stage.start({"a": stage.node("test.ok")})
    path = f"{server.url}/api/v1/runs/{run.pk}/stream/"
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(timeout=40, limits=httpx.Limits(max_connections=None)) as client:
        answers = [
            client.send(client.build_request("GET", path, headers=headers), stream=True)
            for _ in range(40)
        ]
        for answer in answers:
            next(messages(answer.iter_lines()))
        wait_for(lambda: len(backends(server.pid)) <= 2, told=lambda: str(backends(server.pid)))
        process = psutil.Process(server.pid)
        before = sum(process.cpu_times()[:2])
        time.sleep(4)
        spent = sum(process.cpu_times()[:2]) - before
        for answer in answers:
            answer.close()
    print(f"40 idle streams took {spent / 4:.1%} of one core")
    assert spent < 2


def backends(pid: int) -> list[Any]:
    """The database connections of a process."""
    ports = [one.laddr.port for one in psutil.Process(pid).net_connections("tcp") if one.raddr]
    unix = [one for one in psutil.Process(pid).net_connections("unix") if ".s.PGSQL" in one.raddr]
    found = connection.rows(
        "SELECT pid, client_port, state, left(query, 60) FROM pg_stat_activity"
        " WHERE client_port = ANY (%s)",
        (ports,),
    )
    return [*found, *unix]
