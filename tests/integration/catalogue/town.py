"""A small HTTP service that plays all those which the templates call, and remembers the calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

STARS = {"django/django": 80_000, "celery/celery": 25_000}
RATES = {"USD": 1.1, "GBP": 0.85}


class Town:
    """Where it is, and what was asked of it: ``(method, path, body)``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.calls: list[tuple[str, str, Any]] = []

    def bodies(self, method: str, path: str) -> list[Any]:
        """The bodies sent to this path, in order."""
        return [body for m, p, body in self.calls if (m, p) == (method, path)]


class _Handler(BaseHTTPRequestHandler):
    town: Town

    def answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        self.town.calls.append((self.command, parts.path, body))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        status, value = _reply(self.command, parts.path.strip("/").split("/"), query, body)
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 (theirs)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (theirs)
        pass


def _reply(method: str, path: list[str], query: dict[str, str], body: Any) -> tuple[int, Any]:  # noqa: C901 (a table)
    match method, path:
        case "GET", ["posts"]:
            first = (int(query["_page"]) - 1) * int(query["_limit"])
            rows = range(first, first + int(query["_limit"]))
            return 200, [{"id": n, "userId": n % 3, "title": f"t{n}", "body": "-"} for n in rows]
        case "GET", ["days", "2026-01-06"]:
            return 404, {"message": "no rates on a holiday"}
        case "GET", ["days", day]:
            return 200, {"date": day, "rates": RATES}
        case "GET", ["rates"]:
            return 200, {"rates": RATES}
        case "GET", ["logs"]:
            return 200, [{"not_after": "2001-01-01T00:00:00"}, {"not_after": _ends(query["q"])}]
        case "GET", ["repos", *name] if "/".join(name) in STARS:
            full = "/".join(name)
            return 200, {"full_name": full, "stargazers_count": STARS[full], "open_issues_count": 3}
        case "GET", ["repos", *_]:
            return 404, {"message": "Not Found"}
        case "POST", ["model"]:
            return 200, {"scores": [0.9 if row["orders"] > 3 else 0.1 for row in body["rows"]]}
        case "POST", ["query"]:
            unsafe = body["package"]["name"] == "unsafe"
            return 200, {"vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]} if unsafe else {}
        case "POST", ["keys", "keys"]:
            return 201, {"id": "new"}
        case ("GET", ["ill", "health"]) | (_, ["down", *_]):
            return 503, {}
        case "GET", [*_, "people", _]:
            return 404, {}
        case _:
            return 200, {}


def _ends(domain: str) -> str:
    return "2099-01-01T00:00:00" if domain == "fine.example" else "2002-01-01T00:00:00"


@contextmanager
def running() -> Iterator[Town]:
    """The town, on a free port of this machine."""

    class Handler(_Handler):
        """Of this town alone."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.town = town = Town(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield town
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
