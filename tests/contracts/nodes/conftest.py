"""A real HTTP server on loopback for nodes that call one."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    closing = threading.Event()

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        query = parse_qsl(parts.query, keep_blank_values=True)
        name, *rest = parts.path.strip("/").split("/")
        getattr(self, f"on_{name}")(rest, query, body)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Keep the test's output clean."""

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def on_echo(self, _: Any, query: Any, body: bytes) -> None:
        seen = {
            "method": self.command,
            "query": query,
            "body": body.decode(),
            "headers": {name.lower(): value for name, value in self.headers.items()},
        }
        self.answer(200, json.dumps(seen).encode(), Content_Type="application/json; charset=utf-8")

    def on_status(self, rest: list[str], query: Any, _: bytes) -> None:
        self.answer(int(rest[0]), b"because", **dict(query))

    def on_body(self, _: Any, query: Any, __: bytes) -> None:
        asked = dict(query)
        self.answer(200, asked["body"].encode(asked.get("as", "utf-8")), Content_Type=asked["type"])

    def on_bytes(self, *_: Any) -> None:
        self.answer(200, b"\x89PNG\xff", Content_Type="image/png")

    def on_redirect(self, rest: list[str], *_: Any) -> None:
        left = int(rest[0])
        self.answer(307, b"x" * 10_000, Location=f"/redirect/{left - 1}" if left else "/echo")

    def on_elsewhere(self, _: Any, query: Any, __: bytes) -> None:
        self.answer(302, Location=dict(query)["to"])

    def on_cookie(self, *_: Any) -> None:
        self.answer(200, Set_Cookie="session=secret")

    def on_bomb(self, *_: Any) -> None:
        packed = gzip.compress(b"0" * 50_000_000)
        self.answer(200, packed, Content_Encoding="gzip", Content_Type="text/plain")

    def on_slow(self, *_: Any) -> None:
        self.closing.wait(30)
        self.close_connection = True


@pytest.fixture(scope="session")
def http_server() -> Iterator[str]:
    """The address of the server, such as http://127.0.0.1:1234."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    Handler.closing.set()
    server.shutdown()
    server.server_close()
    thread.join(60)
