from __future__ import annotations

from collections.abc import Iterator

import pytest
from celery import Celery

from celesta.engine import canvas


@pytest.fixture
def app() -> Iterator[Celery]:
    """An app of a project, through which the canvas is published while the test lasts."""
    before = list(canvas._installed)
    app = Celery("shop", set_as_current=False)
    canvas.use(app)
    yield app
    canvas._installed[:] = before
