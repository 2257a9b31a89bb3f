"""Servers of the user's own, given by URL: asked before anything is started."""

from urllib.parse import urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured

from project.embedded.problems import ServerProblem
from project.env import env_broker, env_database

LEAST_POSTGRES = 140_000  # 14
PATIENCE = 5


def check_database(url: str) -> str:
    """Return what the PostgreSQL at a URL calls itself; ServerProblem if it is of no use."""
    try:
        env_database()  # refuses what the settings would refuse
        with psycopg.connect(url, connect_timeout=PATIENCE) as connection:
            version = connection.info.server_version
    except ImproperlyConfigured as error:
        raise ServerProblem(str(error)) from error
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise ServerProblem(
            f"PostgreSQL at DATABASE_URL ({_place(url)}) cannot be used: {reason}; start it or "
            "correct DATABASE_URL, or unset it to have a private PostgreSQL."
        ) from error
    if version < LEAST_POSTGRES:
        raise ServerProblem(
            f"PostgreSQL at DATABASE_URL is {version // 10_000}, and 14 or later is needed: "
            "upgrade it, or unset DATABASE_URL to have a private PostgreSQL."
        )
    return f"PostgreSQL {version // 10_000} at {_place(url)}"


def check_broker(url: str) -> str:
    """Return where the broker is; ServerProblem if it does not answer."""
    from kombu import Connection, exceptions  # here: a private broker needs no such import

    try:
        connection = Connection(env_broker(), connect_timeout=PATIENCE)
    except ImproperlyConfigured as error:
        raise ServerProblem(str(error)) from error
    wrong: tuple[type[BaseException], ...] = (
        *connection.connection_errors,
        *connection.channel_errors,
        exceptions.KombuError,
        OSError,
    )
    try:
        with connection:
            connection.ensure_connection(max_retries=1, timeout=PATIENCE)
    except wrong as error:
        reason = " ".join(str(error).split())
        raise ServerProblem(
            f"The broker at BROKER_URL ({_place(url)}) cannot be used: {reason}; start it or "
            "correct BROKER_URL, or unset it to have a private Valkey."
        ) from error
    return f"{urlsplit(url).scheme} at {_place(url)}"


def _place(url: str) -> str:
    """Return host and port of a URL, without its password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path
