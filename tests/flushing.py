"""For tests that commit for real: their rows go after each test, or after each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection as django_connection
from pytest_django.plugin import DjangoDbBlocker

from celesta.runs import connection

#: What `migrate` writes and no test changes.
KEPT = {"django_content_type", "auth_permission"}


def flush(*_: object) -> None:
    """Empty the tables that have rows.

    Django's own `flush` empties all of them, and has what `migrate` writes written anew: half a
    second, some hundreds of times. Keys are never used twice, as in life: processes keep plans by
    them.
    """
    names = django_connection.introspection.django_table_names(
        only_existing=True, include_views=False
    )
    tables = [django_connection.ops.quote_name(name) for name in sorted(set(names) - KEPT)]
    with django_connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}' WHERE EXISTS (SELECT FROM {table})" for table in tables
            )
        )
        if filled := [table for (table,) in cursor.fetchall()]:
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")


@pytest.fixture(scope="module")
def flushed_after_module(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Leave empty tables to the modules that follow, as pytest-django's own fixture would."""
    yield
    with django_db_blocker.unblock():
        connection.close()
        flush()
