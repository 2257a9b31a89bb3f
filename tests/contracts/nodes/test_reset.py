"""What one node leaves of its database connection does not reach the next node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, transaction

import celesta
from celesta_worker import asyncio_loop
from celesta_worker.async_batch import AsyncBatch
from celesta_worker.execute import prepare
from celesta_worker.reset import reset_after_async_nodes, reset_between_nodes
from tests.contracts.nodes.harness import a_context, a_node, output, run, types

pytestmark = pytest.mark.django_db(transaction=True)


def works() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return bool(cursor.fetchone() == (1,))


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.fixture(autouse=True)
def close_the_connection_of_async_nodes() -> Iterator[None]:
    """Otherwise the test database cannot be dropped."""
    yield

    def close() -> None:  # the connection of the thread that this runs in
        connection.close()

    asyncio_loop.wait_for(sync_to_async(close)())


@celesta.node("tests.reset.pid")
async def pid_of_async_nodes() -> int:
    return await sync_to_async(backend_pid)()


@celesta.node("tests.reset.break")
async def break_async_connection() -> None:
    await sync_to_async(transaction.set_autocommit)(False)


def test_a_good_connection_is_kept() -> None:
    connection.close()  # an old one may have reached its age, and would be replaced rightly
    before = backend_pid()
    reset_between_nodes()
    assert backend_pid() == before


def test_a_connection_the_server_has_closed_is_replaced() -> None:
    assert works()
    assert connection.connection is not None
    connection.connection.close()
    with pytest.raises(Exception, match="closed"):
        works()
    reset_between_nodes()
    assert works()


def test_a_transaction_that_was_left_open_is_rolled_back() -> None:
    transaction.atomic().__enter__()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_open (x int)")
    reset_between_nodes()
    assert not connection.in_atomic_block
    assert "left_open" not in connection.introspection.table_names()


def test_autocommit_that_was_turned_off_is_on_again() -> None:
    transaction.set_autocommit(False)
    reset_between_nodes()
    assert transaction.get_autocommit()
    assert works()


def test_the_thread_of_async_nodes_is_reset_too() -> None:
    first = output(run("python", {"function": "tests.reset.pid"}))
    reset_after_async_nodes()
    assert output(run("python", {"function": "tests.reset.pid"})) == first
    run("python", {"function": "tests.reset.break"})
    reset_after_async_nodes()
    assert output(run("python", {"function": "tests.reset.pid"})) != first


def test_a_batch_resets_that_thread_when_it_is_empty() -> None:
    batch: AsyncBatch[int] = AsyncBatch(limit=1)
    batch.start(1, prepare(a_node("python", {"function": "tests.reset.break"}), types), a_context())
    assert len(batch.take(timeout=60)) == 1
    assert asyncio_loop.wait_for(sync_to_async(transaction.get_autocommit)())
