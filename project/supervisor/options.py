"""What `up` can be told, by environment variables alone: the same names everywhere."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from project.embedded.problems import ServerProblem
from project.env import home

MOST_POOL_PROCESSES = 8


@dataclass(frozen=True)
class Options:
    """The choices of one `up`."""

    home: Path
    database_url: str  # empty: a private PostgreSQL
    broker_url: str  # empty: a private Valkey
    web_host: str
    web_port: int | None  # None: 8000, or the next free one
    flower_port: int | None  # None: 5555, or the next free one
    queues: tuple[str, ...]  # one worker for each; commas inside part a worker's queues
    concurrency: int
    dev: bool = False

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ, *, dev: bool = False) -> "Options":
        """Read the options; raise ServerProblem for one that cannot be understood."""
        most = max(2, min(MOST_POOL_PROCESSES, os.cpu_count() or 2))
        queues = environ.get("WORKER_QUEUES", "default").split(";")
        return cls(
            home=home(),
            database_url=environ.get("DATABASE_URL", ""),
            broker_url=environ.get("BROKER_URL", ""),
            web_host=environ.get("WEB_HOST", "127.0.0.1"),
            web_port=_number(environ, "WEB_PORT", 65_535),
            flower_port=_number(environ, "FLOWER_PORT", 65_535),
            queues=tuple(part.strip() for part in queues if part.strip()),
            concurrency=_number(environ, "WORKER_CONCURRENCY", 1_000) or most,
            dev=dev,
        )


def _number(environ: Mapping[str, str], name: str, most: int) -> int | None:
    """Return a number from 1 to `most`, None if it is not set."""
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise ServerProblem(f"{name}={text} is no number from 1 to {most}: correct it or unset it.")
    return int(text)
