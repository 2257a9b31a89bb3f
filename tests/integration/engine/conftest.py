"""The engine's tests commit for real and clean up once a module: runs are worlds of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from celesta.runs import connection


@pytest.fixture
def _django_db_helper(
    flushed_after_module: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """In place of pytest-django's: no transaction around the test, no flush (0.7 s) after it."""
    with django_db_blocker.unblock():
        connection.rows("DELETE FROM celesta_slot")
        yield
