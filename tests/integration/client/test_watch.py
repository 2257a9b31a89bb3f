"""A run is watched over the stream: through lost connections, and without streams by asking."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock, Thread
from urllib.parse import urlsplit

import pytest

from celesta.client import Celesta, NotFound, Unreachable
from tests.integration.client.conftest import Done, Service

# Only so that there is a test database: what the service does is committed for real.
pytestmark = pytest.mark.django_db


class CuttingProxy:
    """Passes bytes on to a server, and cuts streams off in the middle of a message.

    Each of the first ``cuts`` streams ends behind the first bytes of a message that is not its
    first. With ``refuses`` it answers 404 for streams, as a server without them would.
    """

    def __init__(self, server: str, *, cuts: int = 0, refuses: bool = False) -> None:
        parts = urlsplit(server)
        self._server = (str(parts.hostname), int(parts.port or 80))
        self._left, self._refuses = cuts, refuses
        self._lock = Lock()
        self.streams: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # shutdown() wakes the thread that accepts; close() alone would not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                Thread(target=self._pass, args=(caller,), daemon=True).start()

    def _pass(self, caller: socket.socket) -> None:
        with caller, suppress(OSError), socket.create_connection(self._server) as server:
            while request := _request(caller):
                is_stream = b"/stream/" in request.split(b"\r\n", 1)[0]
                if is_stream:
                    self.streams.append(request)
                if is_stream and self._refuses:
                    caller.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                    continue
                server.sendall(request)
                # A connection that streams does nothing else; others are answered one by one.
                if is_stream:
                    self._stream(server, caller)
                    return
                caller.sendall(_answer(server))

    def _stream(self, server: socket.socket, caller: socket.socket) -> None:
        with self._lock:
            cut = self._left > 0
            self._left -= 1
        told = b""
        while piece := server.recv(65536):
            told += piece
            second = told.find(b"\nid: ", told.find(b"\nid: ") + 1)
            if cut and second > 0:
                # The first message whole, of the second so much that it looks like one.
                caller.sendall(piece[: max(0, len(piece) - (len(told) - second) + 20)])
                return
            caller.sendall(piece)


def _request(caller: socket.socket) -> bytes:
    """A request as it came, which these tests send without large bodies."""
    head = _head(caller)
    return head + _body(caller, head) if head else b""


def _answer(server: socket.socket) -> bytes:
    head = _head(server)
    return head + _body(server, head)


def _head(side: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = side.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def _body(side: socket.socket, head: bytes) -> bytes:
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    body = b""
    while len(body) < length:
        body += side.recv(length - len(body))
    return body


@pytest.fixture
def proxy(service: Service) -> Iterator[Callable[..., CuttingProxy]]:
    made: list[CuttingProxy] = []

    def make(**options: int) -> CuttingProxy:
        made.append(CuttingProxy(service.url, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.close()


def history(client: Celesta, run: str) -> list[int]:
    return [event["id"] for event in client.runs.events(run)]


def test_a_lost_connection_loses_nothing_and_repeats_nothing(
    client: Celesta, service: Service, proxy: Callable[..., CuttingProxy]
) -> None:
    cutting = proxy(cuts=2)
    with Celesta(cutting.url, service.token) as watching:
        run = watching.runs.start("orders.fulfil", {"order_id": 1, "pause": "1s"})["id"]
        seen = [event["id"] for event in watching.runs.watch(run)]

    assert seen == history(client, run)
    assert len(cutting.streams) == 3
    assert b"last-event-id" not in cutting.streams[0].lower()
    assert all(b"last-event-id: " in one.lower() for one in cutting.streams[1:])


def test_the_command_line_watches_through_a_lost_connection(
    celesta: Callable[..., Done], client: Celesta, proxy: Callable[..., CuttingProxy]
) -> None:
    cutting = proxy(cuts=1)
    run = client.runs.start("orders.fulfil", {"order_id": 1, "pause": "1s"})["id"]

    done = celesta("run", "watch", run, "--json", CELESTA_URL=cutting.url)

    assert done.code == 0, done.error
    assert [line["id"] for line in done.lines[:-1]] == history(client, run)
    assert len(cutting.streams) == 2


def test_without_streams_it_asks_again_and_again(
    client: Celesta, service: Service, proxy: Callable[..., CuttingProxy]
) -> None:
    without = proxy(refuses=True)
    with Celesta(without.url, service.token) as watching:
        run = watching.runs.start("orders.fulfil", {"order_id": 1, "pause": "1s"})["id"]
        seen = [event["id"] for event in watching.runs.watch(run, 0.5)]

    assert seen == history(client, run)
    assert len(without.streams) == 1


def test_log_lines_come_over_the_same_stream_and_it_goes_on_where_it_was(
    client: Celesta,
) -> None:
    run = client.runs.start("orders.fulfil", {"order_id": 1})["id"]
    told = list(client.runs.follow(run))

    assert (told[-1].event, told[-1].data["state"]) == ("end", "succeeded")
    middle = len(told) // 2
    assert list(client.runs.follow(run, told[middle].id)) == told[middle + 1 :]
    assert list(client.runs.follow(run, told[-1].id)) == []


def test_what_is_not_there_is_not_waited_for(client: Celesta, service: Service) -> None:
    with pytest.raises(NotFound):
        list(client.runs.watch("01900000-0000-7000-8000-000000000001"))
    with (
        Celesta("http://127.0.0.1:9", service.token, attempts=2) as nobody,
        pytest.raises(Unreachable),
    ):
        list(nobody.runs.watch("01900000-0000-7000-8000-000000000001"))
