"""``celesta`` and what it cannot use: each is told in a sentence, never as a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from celesta.client.cli.main import main
from celesta.client.cli.printing import plain
from celesta.client.runs import Runs
from celesta.client.workflows import Workflows


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An address at which nobody answers."""
    monkeypatch.setenv("CELESTA_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("CELESTA_TOKEN", "celesta_x")
    monkeypatch.setenv("CELESTA_PROFILE", str(tmp_path / "profile.json"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--params", '{"a": NaN}'], "NaN is no number of JSON"),
        (["--params", '{"a": 1e999}'], "1e999 is no number of JSON"),
        (["--params", "[" * 100_000], "nested too deep"),
        (["--params", "{"], "is not JSON"),
        (["--key", "é"], "Idempotency-Key may hold printable ASCII only"),
        (["--key", "a\nb"], "Idempotency-Key may hold printable ASCII only"),
    ],
)
def test_a_start_that_cannot_be_sent(
    capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(["run", "start", "orders", *words]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("token", ["é☃", "a\nb"])
def test_a_token_that_can_be_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("CELESTA_TOKEN", token)
    assert main(["me"]) == 1
    assert "the token may hold printable ASCII only" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "start", "or\udcffders"], r"'or\udcffders' is not UTF-8"),
        (["run", "list", "--limit", "-1"], "must be a whole number from 1"),
        (["run", "list", "--limit", "²"], "must be a whole number from 1"),
        (["run", "list", "--limit", "9" * 5000], "must be a whole number from 1"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


class Elsewhere(BaseHTTPRequestHandler):
    """Not the API: a redirect at one address, a page at the other."""

    def do_GET(self) -> None:
        moved = self.path.startswith("/moved")
        body = b"<p>Hello</p>"
        self.send_response(301 if moved else 200)
        if moved:
            self.send_header("Location", "https://flows.example.com/")
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "told"),
    [("/moved", "sends on to https://flows.example.com/"), ("/page", "answers with a page")],
)
def test_an_address_at_which_somebody_else_answers(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    elsewhere: str,
    path: str,
    told: str,
) -> None:
    monkeypatch.setenv("CELESTA_URL", elsewhere + path)
    assert main(["me"]) == 3
    assert told in capsys.readouterr().err


def test_a_file_that_cannot_be_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Workflows, "export", lambda *_: "workflow: orders\n")
    target = tmp_path / "nowhere" / "orders.yaml"
    assert main(["workflow", "export", "orders", "-o", str(target)]) == 1
    assert f"{target}: No such file or directory." in capsys.readouterr().err


def test_a_line_of_a_bulk_may_hold_other_breaks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sent: list[Any] = []

    def start_many(_: Runs, workflow: str, runs: list[Any], **__: Any) -> dict[str, Any]:
        sent.extend(run["params"] for run in runs)
        return {"refused": 0, "results": []}

    monkeypatch.setattr(Runs, "start_many", start_many)
    file = tmp_path / "runs.jsonl"
    file.write_bytes('{"a": "x\u2028y\x85"}\r\n{"a": 2}\n'.encode())
    assert main(["run", "bulk", "orders", str(file)]) == 0
    assert sent == [{"a": "x\u2028y\x85"}, {"a": 2}]


def test_what_steers_a_terminal_is_shown_and_not_obeyed() -> None:
    assert plain("ok\x1b]0;owned\x07\r\x9b2J") == r"ok\x1b]0;owned\x07\x0d\x9b2J"
    assert plain("\u202egnp.exe\u2066") == r"\u202egnp.exe\u2066"
    assert plain("a\tb\nc é ☃ 😀") == "a\tb\nc é ☃ 😀"
