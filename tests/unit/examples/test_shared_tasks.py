"""The ordinary Celery project among the examples works without Celesta."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import celery
import pytest
from celery import Celery

from examples.shared_tasks import canvas, tasks

ROOT = Path(__file__).resolve().parents[3]
EXPECTED = {"parcel": "P000007", "items": 2, "paid": 1740}


@pytest.fixture
def own_app() -> Iterator[Celery]:
    """The team's app in place of the project's, running everything here and now."""
    before = celery.current_app._get_current_object()  # type: ignore[attr-defined]
    app = Celery("shop", set_as_current=False)
    app.conf.update(task_always_eager=True)
    app.set_current()
    yield app
    before.set_current()


@pytest.mark.usefixtures("own_app")
def test_the_canvas_of_old_ships_the_order() -> None:
    assert canvas.order(7, ["tea", "cup"]).apply().get(timeout=60) == EXPECTED


@pytest.mark.usefixtures("own_app")
def test_the_bank_is_busy_at_first() -> None:
    paid = tasks.charge.apply(args=(7, 450)).get(timeout=60)
    assert paid == {"payment": "pay-7", "cents": 450, "asked": 2}


def test_the_project_imports_nothing_of_celesta() -> None:
    script = (
        "import sys, examples.shared_tasks.celery, examples.shared_tasks.canvas\n"
        "print([name for name in sys.modules if name.startswith('celesta')])"
    )
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=bare,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "[]"
