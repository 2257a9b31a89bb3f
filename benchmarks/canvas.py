"""The main benchmark: whole graphs, Celesta and raw canvas in turn. Needs Django to be ready."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine, report
from benchmarks.celesta_side import CelestaSide
from benchmarks.contest import Contest
from benchmarks.options import Options
from benchmarks.prefetch import best_prefetch
from benchmarks.raw_side import RawSide
from benchmarks.servers import RESULTS, Servers
from benchmarks.sides import Side
from benchmarks.workloads import chosen


def run(options: Options, servers: Servers) -> int:
    """Measure, print and write; return the exit code."""
    found = describe(options, servers)
    prefetch = options.prefetch or best_prefetch(
        servers.directory, options.concurrency, options.timeout, tell
    )
    pids = machine.server_pids(os.environ["DATABASE_URL"], os.environ["BROKER_URL"])
    celesta = CelestaSide(servers.directory, options.concurrency, pids)
    raw = RawSide(servers.directory, options.concurrency, prefetch, pids)
    workloads = chosen(options.workloads, quick=options.quick)
    celesta.publish(workloads)
    sides: list[Side] = [celesta, raw]
    contest = Contest(sides, workloads, timeout=options.timeout, tell=tell)
    try:
        for side in sides:
            side.start()
            tell(f"  {side.name}: {side.settings}")
        found["workers"] = {side.name: side.settings for side in sides}
        contest.warm_up()
        contest.repeat(options.repeat)
        contest.take_gaps()
    finally:
        for side in sides:
            side.stop()
    found["workloads"] = report.summary(workloads, contest.records)
    show(found, options)
    return 0


def describe(options: Options, servers: Servers) -> dict[str, Any]:
    """Print and return everything that the figures depend on."""
    here = machine.Machine.here()
    database = machine.Database.at(os.environ["DATABASE_URL"])
    broker = machine.broker_release(os.environ["BROKER_URL"])
    versions = machine.versions()
    kind = "private" if servers.private else "given"
    tell(f"Machine   {here}")
    tell(f"Versions  {', '.join(f'{name} {number}' for name, number in versions.items())}")
    tell(f"Servers   PostgreSQL {database.version} and {broker}, {kind}")
    tell(f"Settings  {', '.join(f'{name}={value}' for name, value in database.settings.items())}")
    tell(
        f"Commits   durable: {'yes' if database.durable else 'NO'}; {database.commit_ms:g} ms each "
        f"(p99 {database.commit_p99_ms:g}) on {database.file_system or 'a disk unknown'}"
    )
    if not database.durable:
        tell("          Commits are NOT durable here: the figures say nothing about Celesta.")
    return {
        "version": 1,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "options": vars(options) | {"json": None},
        "machine": machine.as_dict(here),
        "versions": versions,
        "database": machine.as_dict(database),
        "broker": broker,
        "servers": kind,
        "durable": database.durable,
    }


def show(found: dict[str, Any], options: Options) -> None:
    """Print the table and write the file."""
    tell("\n" + report.table(found["workloads"]))
    if options.profile:
        tell("\nCPU time by process:\n" + report.profile(found["workloads"]))
    path = options.json or _result_path(found["date"])
    report.write(path, found)
    tell(f"\nWritten to {path}")


def tell(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


def _result_path(date: str) -> Path:
    return RESULTS / f"{date.replace(':', '').replace('+0000', 'Z')}.json"
