"""The tests of the leader commit for real; each begins with nothing due, lost or led."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from celesta.engine import canvas, leader
from celesta.engine.leader import Lead
from celesta.runs import connection
from celesta.runs.connection import rows
from celesta_worker import page
from celesta_worker.slots import Slot


@pytest.fixture
def _django_db_helper(
    flushed_after_module: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """In place of pytest-django's: no transaction around the test, and no flush after it."""
    with django_db_blocker.unblock():
        for table in ("slot", "timer", "hint", "wave", "leader"):
            rows(f"DELETE FROM celesta_{table}")
        rows("UPDATE celesta_run SET state = 'cancelled', finished_at = now()"
             " WHERE state = 'cancelling'")  # fmt: skip
        yield
        connection.close()


@pytest.fixture
def lead(_django_db_helper: None) -> Lead:
    """A term of the test's own."""
    term = leader.try_lead("test", 4.0)
    assert term is not None
    return Lead("test", term)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have been published: the signatures."""
    taken: list[Any] = []

    def take(canvases: Any, **_: Any) -> bool:
        taken.extend(canvases)
        return True

    monkeypatch.setattr(canvas, "send", take)
    return taken


@pytest.fixture
def slot(
    _django_db_helper: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Slot]:
    """A slot of this process that listens to a queue of its own, with its pages apart."""
    monkeypatch.setattr(page, "directory", lambda: tmp_path)
    worker = page.WorkerPage(os.getpid(), create=True)
    made = Slot("w", os.getpid(), ("elsewhere",))
    yield made
    made.page.remove()
    worker.remove()
