"""What is wrong with a request is told in one shape, and nothing is half made."""

import threading
import time
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from celery import Celery
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from pytest_django.fixtures import Settings

from celesta.engine import canvas
from celesta.runs.models import Hint, Run
from celesta.workflows.models import Workflow
from tests.integration.api.conftest import DOCUMENT, Api, problem_of

START = "workflows/orders.fulfil/runs/"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "line 1, column 2"),
        (b'{"params": {"order_id": NaN}}', "NaN"),
        (b'{"params": {"order_id": Infinity}}', "Infinity"),
        (b'{"params": {"order_id": 1e999}}', "1e999"),
        (b'{"params": {"order_id": ' + b"9" * 5000 + b"}}", "digits"),
        (b'{"params": {"order_id": 1, "order_id": 2}}', "'order_id' is there twice"),
        (b'{"params": {"x": "a\\u0000b"}}', "NUL"),
        (b'{"params": {"x": "\\ud800"}}', "surrogate"),
        (b'{"params": {"x": "\xff"}}', "UTF-8"),
        (b'{"params": ' + b"[" * 200 + b"]" * 200 + b"}", "deep"),
        (b'{"params": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deep"),
    ],
)
def test_a_body_that_is_no_proper_json(api: Api, published: Any, body: bytes, words: str) -> None:
    problem = problem_of(api.post(START, body), 400, "malformed_body")

    assert words in problem["detail"]
    assert not Run.objects.exists()


@pytest.mark.parametrize("body", [[], 7, "text", None, {"params": []}, {"params": 7}])
def test_a_body_of_another_shape(api: Api, published: Any, body: Any) -> None:
    import orjson

    problem_of(api.post(START, orjson.dumps(body)), 400, "invalid_input")


def test_a_number_too_large_for_json_in_programs_is_told(api: Api, published: Any) -> None:
    problem = problem_of(
        api.post(START, b'{"params": {"order_id": 123456789012345678901234567890}}'),
        400,
        "invalid_params",
    )

    assert problem["errors"][0]["path"].startswith("params")


def test_bodies_beyond_their_limit(api: Api, published: Any, settings: Settings) -> None:
    settings.CELESTA = {"MAX_PARAMS_BYTES": 1000, "DEFINITION_MAX_BYTES": 2000}

    params = api.post(START, {"params": {"order_id": 1, "x": "y" * 2000}})
    document = api.post("workflows/", DOCUMENT + "#" * 2000)
    wrapped = api.post("workflows/validate/", {"source": "#" * 2000})

    problem_of(params, 413, "body_too_large")
    problem_of(document, 413, "body_too_large")
    problem_of(wrapped, 413, "body_too_large")


def test_a_document_of_several_megabytes_is_read(api: Api) -> None:
    """Larger than Django's own DATA_UPLOAD_MAX_MEMORY_SIZE, which must not interfere."""
    comment = "# " + "x" * 80 + "\n"

    assert api.post("workflows/", comment * 40_000 + DOCUMENT).status_code == 201


@pytest.mark.parametrize(
    "source",
    [
        "workflow: a\nworkflow: b\n",
        "a: &a [x]\nb: *a\n",
        "workflow: [",
        "- a list\n",
        "",
        "just a text",
        "workflow: !!python/object:os.system x\n",
    ],
)
def test_documents_that_cannot_be_read(api: Api, source: str) -> None:
    problem = problem_of(api.post("workflows/", {"source": source}), 400, "invalid_document")

    assert problem["errors"]
    assert api.post("workflows/validate/", {"source": source}).json()["valid"] is False
    assert not Workflow.objects.exists()


def test_a_yaml_bomb_is_refused_quickly(api: Api) -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
    )

    problem_of(api.post("workflows/", bomb), 400, "invalid_document")


def test_a_document_with_a_nul_is_refused(api: Api) -> None:
    document = DOCUMENT.replace("Fulfil an order", '"a\\0b"')

    problem_of(api.post("workflows/", document), 400, "invalid_document")
    problem_of(api.post("workflows/", {"source": "workflow: a\x00b"}), 400, "invalid_document")


def test_a_wrapper_with_more_in_it_is_refused(api: Api) -> None:
    for body in ({"source": DOCUMENT, "nodes": {}}, {"source": 7}, {"source": "", "format": "xml"}):
        problem_of(api.post("workflows/", body), 400, "malformed_body")
    problem_of(api.post("workflows/"), 400, "malformed_body")


def test_another_content_type_is_415(api: Api, published: Any) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    for kind in (
        "text/xml",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ):
        response = Client().post(f"/api/v1/{START}", data=b"x", content_type=kind, headers=headers)
        problem_of(response, 415, "unsupported_media_type")


def test_a_body_in_chunks_is_not_taken_for_an_empty_one(api: Api, published: Any) -> None:
    response = api.call("POST", START, None, Transfer_Encoding="chunked")

    problem_of(response, 411, "length_required")


def test_an_answer_of_another_kind_is_406(api: Api, published: Any) -> None:
    problem_of(api.get("workflows/", Accept="text/html"), 406, "not_acceptable")


def test_another_method_is_405(api: Api, published: Any) -> None:
    response = api.put("runs/", {})

    problem_of(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]
    problem_of(api.call("OPTIONS", "runs/"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    [
        "nothing/", "runs", "workflows", "", "runs/7/", "%00/", "runs/%0a/", "tokens/%0a/",
        "/api/", "/api/x/", "/api/v2/runs/", "/api/%0a",
    ],
)  # fmt: skip
def test_addresses_that_are_none(api: Api, path: str) -> None:
    problem_of(api.get(path), 404, "not_found")
    problem_of(api.post(path, {}), 404, "not_found")


def test_the_pages_of_the_schema_may_be_typed_without_their_slash(api: Api) -> None:
    for page in ("schema", "docs"):
        assert api.get(f"/api/{page}").headers["Location"] == f"/api/{page}/"


@pytest.mark.parametrize("limit", ["0", "501", "000000500999", "²", "9" * 5000])
def test_no_page_is_longer_than_the_longest(api: Api, limit: str) -> None:
    problem_of(api.get(f"runs/?limit={limit}"), 400, "invalid_query")


NUMBERS = ("9" * 30, "9" * 4000, str(2**63), str(2**31))


@pytest.mark.parametrize("number", NUMBERS, ids=["30", "4000", "2**63", "2**31"])
def test_numbers_no_database_can_hold(api: Api, published: Any, number: str) -> None:
    run = api.post(START, {"params": {"order_id": 1}}).json()["id"]
    paths = [
        f"workflows/orders.fulfil/versions/{number}/",
        f"workflows/orders.fulfil/versions/1/diff/?against={number}",
        f"runs/{run}/artifacts/{number}/content/",
        f"runs/{run}/nodes/fetch/?scope={number}",
        f"runs/{run}/events/?after={number}",
        f"runs/?limit={number}",
        f"schedules/{number}/",
        f"schedules/{number}/slots/",
    ]
    answers = [api.get(path) for path in paths] + [api.delete(f"tokens/{number}/")]

    for path, answer in zip([*paths, "tokens"], answers, strict=True):
        assert answer.status_code in (200, 400, 404), path
        if answer.status_code != 200:
            problem_of(answer, answer.status_code, answer.json()["code"])


def test_params_schemas_that_would_run_away(api: Api) -> None:
    """The regular expression took Python's engine, and the whole server, for ever."""
    document = """\
workflow: runaway
params: {type: object, properties: {a: {type: string, pattern: "^(a+)+$"}}}
nodes: {n: {type: transform, with: {output: 1}}}
"""
    assert api.post("workflows/", document).status_code == 201
    start = {"params": {"a": "a" * 5000 + "!"}}
    began = time.monotonic()

    problem = problem_of(api.post("workflows/runaway/runs/", start), 400, "invalid_params")

    assert problem["errors"][0]["path"] == "params.a"
    assert time.monotonic() - began < 30  # Python's engine: for ever


def test_a_default_of_three_hundred_digits_is_kept_as_it_was_given(api: Api) -> None:
    document = """\
workflow: endless
params: {type: object, properties: {a: {default: 1.0e+300, maximum: 1.0e+301}}}
nodes: {n: {type: transform, with: {output: 1}}}
"""
    api.post("workflows/", document)

    run = api.post("workflows/endless/runs/").json()

    assert api.get(f"runs/{run['id']}/").json()["params"] == {"a": 1e300}


def test_nul_in_addresses_and_queries(api: Api, published: Any) -> None:
    problem_of(api.get("workflows/a%00b/"), 404, "not_found")
    problem_of(api.get("workflows/?search=a%00b"), 400, "invalid_query")
    problem_of(api.get("runs/?workflow=%00"), 400, "invalid_query")


@pytest.mark.parametrize("error", [OperationalError("away"), psycopg.OperationalError("away")])
def test_without_a_database_everything_is_503_and_nothing_is_made(
    api: Api, published: Any, error: Exception
) -> None:
    calls: list[tuple[str, str, Any]] = [
        ("POST", START, {"params": {"order_id": 1}}),
        ("POST", "workflows/", DOCUMENT.replace("orders.fulfil", "new")),
        ("GET", "runs/", None),
        ("GET", "workflows/orders.fulfil/", None),
    ]
    with patch.object(BaseDatabaseWrapper, "cursor", side_effect=error):
        answers = [api.call(*call) for call in calls]

    for answer in answers:
        problem_of(answer, 503, "database_unavailable")
        assert answer.headers["Retry-After"] == "5"
    assert not Run.objects.exists()
    assert Workflow.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_during_a_start_leaves_nothing(api: Api, published: Any) -> None:
    # Given a database that ends the connection when the run row is written
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER hang_up AFTER INSERT ON celesta_run "
            "FOR EACH ROW EXECUTE FUNCTION hang_up()"
        )
    try:
        answer = api.post(START, {"params": {"order_id": 1}})
    finally:
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER hang_up ON celesta_run; DROP FUNCTION hang_up()")

    # Then the caller is told to try again, and there is no run
    problem_of(answer, 503, "database_unavailable")
    assert not Run.objects.filter(workflow__name="orders.fulfil").exists()
    assert api.post(START, {"params": {"order_id": 1}}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_start_while_the_broker_is_down_is_accepted_and_waits(api: Api, published: Any) -> None:
    # Given a broker that nobody can reach (in a thread of its own: publishing remembers failures)
    answers: list[Any] = []

    def start() -> None:
        began = time.monotonic()
        answers.append(api.post(START, {"params": {"order_id": 1}}))
        answers.append(time.monotonic() - began)
        connection.close()

    nobody = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    with patch.object(canvas, "app", return_value=nobody):
        thread = threading.Thread(target=start)
        thread.start()
        thread.join(timeout=60)

    # Then the run is there, and what has to be sent is written down for the leader to send
    response, seconds = answers
    assert response.status_code == 201
    assert seconds < 10
    assert Hint.objects.filter(run_id=response.json()["id"]).count() == 1


def test_a_fault_of_ours_is_a_problem_and_is_logged(
    api: Api, published: Any, caplog: pytest.LogCaptureFixture
) -> None:
    api.client.raise_request_exception = False
    with patch("celesta.api.views.runs.start_run", side_effect=ZeroDivisionError("secret detail")):
        answer = api.post(START, {"params": {"order_id": 1}})

    problem = problem_of(answer, 500, "internal_error")
    assert "secret detail" not in str(problem)
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("value", ["yes", "true", 1, 0, "", None])
def test_what_is_on_or_off_is_true_or_false(api: Api, published: Any, value: Any) -> None:
    timing = {"workflow": "orders.fulfil", "every": 60, "params": {"order_id": 1}}
    span = {"begin": "2026-01-01T00:00:00Z", "until": "2026-01-01T01:00:00Z"}
    for address, body, name in (
        ("schedules/", {**timing, "name": "s"}, "enabled"),
        ("backfills/", {**timing, **span}, "newest_first"),
    ):
        refused = problem_of(api.post(address, {**body, name: value}), 400, "invalid_input")
        assert [error["path"] for error in refused["errors"]] == [name]
