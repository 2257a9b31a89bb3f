"""What a node says of a Celery task that failed on another worker."""

from __future__ import annotations

from typing import Any

import pytest
from celery import Celery

from celesta.engine import canvas
from celesta_worker import foreign


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Celery:
    app = Celery("shop", backend="cache+memory://", set_as_current=False)
    monkeypatch.setattr(canvas, "app", lambda: app)
    return app


def test_the_exception_that_the_projects_backend_kept(app: Celery) -> None:
    app.backend.store_result("t1", ValueError("no address"), "FAILURE")

    failed = foreign._failure("t1")

    assert failed.message == "ValueError: no address"
    assert failed.details == {"task_id": "t1"}


def test_a_result_that_cannot_be_read_fails_the_node_all_the_same(app: Celery) -> None:
    # Given a worker of another code base that writes results as this app does not read them,
    backend: Any = app.backend
    backend.set(backend.get_key_for_task("t2"), b"\x80 not JSON")
    # when its task has failed, then the node says so at once.
    failed = foreign._failure("t2")
    assert (failed.code, failed.message) == (
        "foreign_task_failed",
        "Celery task t2 failed on its worker",
    )


def test_an_app_that_keeps_no_results(app: Celery) -> None:
    app.conf.update(result_backend=None)

    assert foreign._failure("t3").message == "Celery task t3 failed on its worker"
