"""For tests that commit for real, each with rows of its own: one flush a module, not one a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from pytest_django.plugin import DjangoDbBlocker

from celesta.runs import connection


@pytest.fixture(scope="module")
def flushed_after_module(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Leave empty tables to the modules that follow, as pytest-django's own fixture would."""
    yield
    with django_db_blocker.unblock():
        connection.close()
        # Keys are never used twice, as in life: processes keep plans by them.
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
