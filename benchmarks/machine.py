"""What the figures were measured on: the machine, versions, and how durable a commit is."""

import os
import platform
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
import psycopg
from redis import Redis

PACKAGES = ("celery", "kombu", "redis", "hiredis", "django", "psycopg", "psycopg-binary")
DURABILITY = ("fsync", "synchronous_commit", "full_page_writes", "wal_sync_method")
OTHERS = ("commit_delay", "commit_siblings", "shared_buffers", "data_directory")
#: File systems in memory: there a commit costs nothing and lasts for nothing.
FLEETING = ("tmpfs", "ramfs")
PROBES = 200


@dataclass(frozen=True)
class Machine:
    """Where it ran."""

    system: str
    cpu: str
    cores: int
    memory_gb: float
    load: float

    @classmethod
    def here(cls) -> "Machine":
        """Return this machine."""
        return cls(
            f"{platform.system()} {platform.release()}",
            _cpu(),
            len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1,
            round(psutil.virtual_memory().total / 2**30, 1),
            round(os.getloadavg()[0], 2),
        )

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.cpu}), {self.memory_gb:g} GB, {self.system}; "
            f"load at the start {self.load:g}"
        )


@dataclass(frozen=True)
class Database:
    """The PostgreSQL: its settings, and what a commit costs in ms (median and 99th of 100)."""

    version: str
    settings: dict[str, str]
    durable: bool
    file_system: str
    commit_ms: float
    commit_p99_ms: float

    @classmethod
    def at(cls, url: str) -> "Database":
        """Ask the server; what only its superuser may see is left out for others."""
        with psycopg.connect(url, autocommit=True) as connection:
            names = [*DURABILITY, *OTHERS]
            found: dict[str, str] = dict(
                connection.execute(
                    "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (%s)",
                    (names,),
                ).fetchall()
            )
            release = connection.info.parameter_status("server_version") or "?"
            times = sorted(_commit(connection) for _ in range(PROBES))
        file_system = _file_system(found.pop("data_directory", ""))
        durable = all(found.get(name) == "on" for name in DURABILITY[:2])
        return cls(
            release,
            {name: found[name] for name in names if name in found},
            durable and file_system not in FLEETING,
            file_system,
            round(times[len(times) // 2] * 1e3, 3),
            round(times[len(times) * 99 // 100] * 1e3, 3),
        )


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries on the way."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def server_pids(database_url: str, broker_url: str) -> dict[str, int]:
    """Return the main processes of the servers that run on this machine, by what they are."""
    with psycopg.connect(database_url) as connection:
        postmaster = _parent(connection.info.backend_pid)
    with Redis.from_url(broker_url) as redis:
        told: Any = redis.info("server")
    found = {"postgres": postmaster, "redis": int(told["process_id"])}
    names = {"postgres": ("postgres",), "redis": ("redis", "valkey")}
    return {what: pid for what, pid in found.items() if _is_called(pid, names[what])}


def broker_release(url: str) -> str:
    """Return the name and version of the broker."""
    with Redis.from_url(url) as redis:
        told: Any = redis.info("server")
    if "valkey_version" in told:
        return f"Valkey {told['valkey_version']}"
    return f"Redis {told['redis_version']}"


def as_dict(value: Machine | Database) -> dict[str, Any]:
    """Return a description for the JSON file."""
    return asdict(value)


def _commit(connection: "psycopg.Connection[Any]") -> float:
    """Return the seconds that a transaction takes which writes and is flushed."""
    began = time.perf_counter()
    connection.execute("SELECT pg_logical_emit_message(true, 'benchmark', 'x')")
    return time.perf_counter() - began


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _file_system(directory: str) -> str:
    """Return the kind of file system that a local directory is on; nothing when it is not seen."""
    if not directory or not Path(directory).parent.exists():
        return ""
    places = {part.mountpoint: part.fstype for part in psutil.disk_partitions(all=True)}
    for place in (Path(directory), *Path(directory).parents):
        if str(place) in places:
            return places[str(place)]
    return ""


def _parent(pid: int) -> int:
    try:
        return psutil.Process(pid).ppid()
    except psutil.NoSuchProcess:
        return 0  # on another machine


def _is_called(pid: int, names: tuple[str, ...]) -> bool:
    try:
        called = psutil.Process(pid).name() if pid else ""
    except psutil.NoSuchProcess:
        return False
    return any(name in called for name in names)
