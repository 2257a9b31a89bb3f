from __future__ import annotations

import logging
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from celesta.runs.outcomes import RetryLater, Succeeded
from celesta_worker.async_batch import AsyncBatch
from celesta_worker.execute import prepare
from celesta_worker.http_exchange import MAX_RETRY_AFTER
from tests.contracts.nodes.harness import a_context, a_node, codes, failure, output, run, types


def echo(http_server: str, **config: Any) -> Any:
    """What the server saw."""
    return output(run("http", {"url": f"{http_server}/echo", **config}))["body"]


def test_the_answer_has_status_headers_and_the_parsed_body(http_server: str) -> None:
    found = output(run("http", {"url": f"{http_server}/echo"}))

    assert found["status"] == 200
    assert found["headers"]["content-type"].startswith("application/json")
    assert found["body"]["method"] == "GET"


def test_query_headers_and_json_are_sent(http_server: str) -> None:
    seen = echo(
        http_server,
        method="POST",
        url=f"{http_server}/echo?in=url",
        query={"n": 3, "on": True, "tag": ["a", "b"], "none": None},
        headers={"X-Trace": 7},
        json={"total": 1.5},
    )

    assert seen["query"] == [["in", "url"], ["n", "3"], ["on", "true"], ["tag", "a"], ["tag", "b"]]
    assert seen["headers"]["x-trace"] == "7"
    assert seen["headers"]["content-type"] == "application/json"
    assert seen["body"].replace(" ", "") == '{"total":1.5}'


def test_json_null_is_a_body_and_no_json_is_none(http_server: str) -> None:
    assert echo(http_server, method="PUT", json=None)["body"] == "null"
    assert echo(http_server, method="PUT")["body"] == ""


def test_a_text_body_is_sent_as_it_is(http_server: str) -> None:
    assert echo(http_server, method="POST", body="größer")["body"] == "größer"


@pytest.mark.parametrize(
    ("method", "given", "sent"),
    [
        ("GET", {}, None),
        ("POST", {}, "run-1:it"),
        ("DELETE", {}, "run-1:it"),
        ("POST", {"idempotency-key": "mine"}, "mine"),
    ],
)
def test_unsafe_methods_carry_the_nodes_idempotency_key(
    http_server: str, method: str, given: dict[str, str], sent: str | None
) -> None:
    seen = echo(http_server, method=method, headers=given)
    assert seen["headers"].get("idempotency-key") == sent


@pytest.mark.parametrize(
    ("kind", "text", "charset", "body"),
    [
        ("text/plain", "plain", "utf-8", "plain"),
        ("application/problem+json", '{"a": 1}', "utf-8", {"a": 1}),
        ("application/json", "", "utf-8", None),
        ("text/plain; charset=latin-1", "é", "latin-1", "é"),
        ("text/plain; charset=klingon", "é", "utf-8", "é"),
    ],
)
def test_the_body_is_read_by_its_content_type(
    http_server: str, kind: str, text: str, charset: str, body: Any
) -> None:
    query = {"type": kind, "body": text, "as": charset}
    assert output(run("http", {"url": f"{http_server}/body", "query": query}))["body"] == body


def test_what_is_no_text_or_broken_json_fails_for_good(http_server: str) -> None:
    picture = failure(run("http", {"url": f"{http_server}/bytes"}))
    broken = failure(
        run(
            "http",
            {
                "url": f"{http_server}/body",
                "query": {"type": "application/json", "body": "{"},
            },
        )
    )
    assert (picture.code, picture.retryable) == ("body_not_text", False)
    assert (broken.code, broken.retryable) == ("invalid_json_body", False)


@pytest.mark.parametrize(
    ("status", "retryable"), [(404, False), (400, False), (500, True), (503, True), (429, True)]
)
def test_an_unexpected_status_fails(http_server: str, status: int, retryable: bool) -> None:
    found = failure(run("http", {"url": f"{http_server}/status/{status}?key=secret"}))

    assert (found.code, found.retryable) == ("http_status", retryable)
    assert found.details == {"status": status, "body": "because"}
    assert "secret" not in found.message


def test_the_author_says_what_is_expected_and_what_is_tried_again(http_server: str) -> None:
    url = f"{http_server}/status/404"
    assert output(run("http", {"url": url, "expect": ["2xx", 404]}))["status"] == 404
    assert failure(run("http", {"url": url, "retry_on": ["4xx"]})).retryable
    assert (
        failure(run("http", {"url": f"{http_server}/echo", "expect": [204]})).code == "http_status"
    )


def test_retry_after_is_kept_to_in_seconds_and_as_a_date(http_server: str) -> None:
    def asked(value: str, status: int = 503) -> float:
        config = {"url": f"{http_server}/status/{status}", "query": {"Retry_After": value}}
        outcome = run("http", config).outcome
        assert isinstance(outcome, RetryLater)
        return outcome.delay

    assert asked("7", status=429) == 7
    assert 50 < asked(format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)) <= 60
    assert asked("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert asked("9" * 30) == MAX_RETRY_AFTER


def test_retry_after_that_means_nothing_is_an_ordinary_failure(http_server: str) -> None:
    config = {"url": f"{http_server}/status/503", "query": {"Retry_After": "soon"}}
    assert failure(run("http", config)).retryable


def test_redirects_are_followed_five_times_and_only_when_wanted(http_server: str) -> None:
    followed = echo(http_server, method="POST", url=f"{http_server}/redirect/4", json=[1])
    assert (followed["method"], followed["body"]) == ("POST", "[1]")
    assert failure(run("http", {"url": f"{http_server}/redirect/5"})).code == "too_many_redirects"

    seen = run(
        "http",
        {"url": f"{http_server}/redirect/1", "follow_redirects": False, "expect": ["3xx"]},
    )
    assert output(seen)["status"] == 307


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.org/", "gopher://x/"])
def test_only_the_web_is_reached(http_server: str, target: str) -> None:
    assert ("invalid_config", "nodes.it.with.url") in codes("http", {"url": target})
    assert failure(run("http", {"url": target})).code == "invalid_config"
    redirected = run("http", {"url": f"{http_server}/elsewhere", "query": {"to": target}})
    assert (failure(redirected).code, failure(redirected).retryable) == ("invalid_request", False)


def test_a_response_is_read_up_to_its_limit(http_server: str) -> None:
    config = {"url": f"{http_server}/body", "query": {"type": "text/plain", "body": "x" * 100}}
    assert output(run("http", {**config, "max_bytes": 100}))["body"] == "x" * 100
    found = failure(run("http", {**config, "max_bytes": 99}))
    assert (found.code, found.retryable) == ("response_too_large", False)


def test_a_compressed_bomb_is_not_unpacked_into_memory(http_server: str) -> None:
    assert failure(run("http", {"url": f"{http_server}/bomb"})).code == "response_too_large"


def test_a_server_that_does_not_answer_ends_the_attempt_in_time(http_server: str) -> None:
    began = time.monotonic()
    found = failure(run("http", {"url": f"{http_server}/slow", "timeout": "100ms"}))
    assert (found.code, found.retryable) == ("http_timeout", True)
    assert time.monotonic() - began < 20  # the server takes 30


def test_a_server_that_is_not_there_may_be_tried_again() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take the port
        found = failure(run("http", {"url": f"http://127.0.0.1:{unused.getsockname()[1]}/"}))
    assert (found.code, found.retryable) == ("http_unreachable", True)


def test_cookies_do_not_travel_from_run_to_run(http_server: str) -> None:
    run("http", {"url": f"{http_server}/cookie"})
    assert "cookie" not in echo(http_server)["headers"]


def test_a_header_cannot_smuggle_another(http_server: str) -> None:
    config = {"url": f"{http_server}/echo", "headers": {"X-A": "{{ params.a }}"}}
    found = failure(run("http", config, {"params": {"a": "1\r\nX-Evil: 2"}}))
    assert (found.code, found.retryable) == ("invalid_config", False)


def test_headers_that_http_does_not_have_are_refused(http_server: str) -> None:
    url = f"{http_server}/echo"
    assert codes("http", {"url": url, "headers": {"ü": "1"}})
    found = failure(run("http", {"url": url, "headers": {"X-Name": "\u4e16"}}))
    assert (found.code, found.retryable) == ("invalid_request", False)


def test_the_query_of_a_url_stays_out_of_the_logs(
    http_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        run("http", {"url": f"{http_server}/echo?key=secret"})
    assert "secret" not in caplog.text


def test_two_bodies_are_refused() -> None:
    assert codes("http", {"url": "https://example.org", "json": 1, "body": "x"}) == {
        ("invalid_config", "nodes.it.with")
    }


def test_requests_of_a_batch_are_in_flight_together(http_server: str) -> None:
    batch: AsyncBatch[int] = AsyncBatch(limit=20)
    prepared = prepare(a_node("http", {"url": f"{http_server}/slow", "timeout": "1s"}), types)
    assert prepared.is_async
    began = time.monotonic()
    for key in range(20):
        batch.start(key, prepared, a_context())
    ended = 0
    while batch.in_flight:
        ended += len(batch.take(10))
    assert ended == 20
    assert time.monotonic() - began < 15  # one after the other: 20
    assert isinstance(run("http", {"url": f"{http_server}/echo"}).outcome, Succeeded)
