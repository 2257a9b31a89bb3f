"""The hot path's own database connection, one per thread of a process.

Django closes its connections around every Celery task and turns prepared statements off; both would
cost more than the work itself (see docs/decisions). This connection stays open, commits each call
by itself, prepares its statements, and is never shared over a fork.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from django.db import connections
from psycopg import errors
from psycopg.types.json import set_json_loads

from celesta import conf

#: Nothing was committed when these are raised: the call is simply made again.
UNDONE = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)
ATTEMPTS = 8

Row = tuple[Any, ...]


class _Local(threading.local):
    connection: psycopg.Connection[Row] | None = None
    pid: int = 0


_local = _Local()


def parameters() -> dict[str, Any]:
    """What psycopg needs to reach the database that Django is configured for."""
    params: dict[str, Any] = dict(connections[conf.get("DATABASE")].get_connection_params())
    for ours in ("cursor_factory", "context", "prepare_threshold", "pool", "server_side_binding"):
        params.pop(ours, None)
    params.setdefault("connect_timeout", 5)
    # A host that vanished without a word is given up after about ten seconds, not after minutes.
    params.setdefault("keepalives_idle", 5)
    params.setdefault("keepalives_interval", 2)
    params.setdefault("keepalives_count", 3)
    params.setdefault("tcp_user_timeout", 10_000)
    return params


def which() -> str:
    """Which database that is, by where it is and its name, for what is kept beside it."""
    found = parameters()
    return "/".join(str(found.get(part) or "") for part in ("service", "host", "port", "dbname"))


def connect() -> psycopg.Connection[Row]:
    """A new connection, in autocommit mode, with every statement prepared at its first use."""
    connection = psycopg.connect(**parameters(), autocommit=True, prepare_threshold=0)
    set_json_loads(orjson.loads, connection)
    return connection


def hot() -> psycopg.Connection[Row]:
    """This thread's connection, opened when needed; a broken one is replaced."""
    connection = _local.connection
    if connection is None or connection.closed or connection.broken or _local.pid != os.getpid():
        # A connection inherited over a fork belongs to the parent: it is dropped, not closed.
        connection = _local.connection = connect()
        _local.pid = os.getpid()
    return connection


def close() -> None:
    """Close this thread's connection, if it is this process's own."""
    if _local.connection is not None and _local.pid == os.getpid():
        _local.connection.close()
    _local.connection = None


@contextmanager
def borrowed() -> Iterator[None]:
    """Close the connection afterwards if this thread had none before: web threads come and go."""
    had_one = _local.connection is not None and _local.pid == os.getpid()
    try:
        yield
    finally:
        if not had_one:
            close()


def rows(query: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """Run one statement in a transaction of its own and return its rows.

    Deadlocks and serialization failures are retried, bounded, with growing random pauses. Raises
    psycopg.OperationalError when the connection fails; then the outcome is unknown to the caller.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with hot().cursor(binary=True) as cursor:
                cursor.execute(query, params)
                # Not by `description`: that makes an object of every column, at every call.
                result = cursor.pgresult
                return cursor.fetchall() if result is not None and result.nfields else []
        except UNDONE:
            if attempt == ATTEMPTS:
                raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311
    raise AssertionError("unreachable")


def one(query: str, params: Sequence[Any] | Mapping[str, Any] = ()) -> Row:
    """As :func:`rows`, for a statement that answers exactly one row."""
    return rows(query, params)[0]
