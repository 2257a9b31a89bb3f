"""The command line."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workloads import WORKLOADS

ALL = ",".join(workload.name for workload in WORKLOADS)
#: Parts of `ui`, in their order.
PARTS = "lists,pages,run,editor"


@dataclass(frozen=True)
class Options:
    """What was asked for. `latency` is in seconds, `timeout` in seconds for each run of a graph."""

    what: str = "canvas"
    workloads: tuple[str, ...] = tuple(ALL.split(","))
    parts: tuple[str, ...] = tuple(PARTS.split(","))
    repeat: int = 5
    concurrency: int = 2
    prefetch: int | None = None
    timeout: float = 60.0
    latency: float = 0.0
    profile: bool = False
    quick: bool = False
    json: Path | None = None


def parse(arguments: list[str] | None = None) -> Options:
    """Return the options on a command line; exit with a sentence when they make no sense."""
    given = vars(_parser().parse_args(arguments))
    if given["quick"]:
        given["repeat"] = min(given["repeat"], 2)
        given["prefetch"] = given["prefetch"] or 4
    return Options(**given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Celesta against raw Celery canvas, alternating on the same servers: private "
        "ones, or those that DATABASE_URL and BROKER_URL name.",
    )
    add = parser.add_argument
    add(
        "what",
        nargs="?",
        default="canvas",
        choices=("canvas", "calls", "backfill", "ui"),
        help="canvas: whole graphs; calls: the cost of single calls of the engine; backfill: how "
        "fast slots are started; ui: lists of runs among a million, and pages in a browser",
    )
    add("--workloads", type=_names, default=_names(ALL), metavar=ALL, help="which graphs")
    add("--parts", type=_parts, default=_parts(PARTS), metavar=PARTS, help="which parts of ui")
    add("--repeat", type=_count, default=5, help="measurements of each, after one to warm up")
    add("--concurrency", type=_count, default=2, help="processes of each worker")
    add("--prefetch", type=_count, help="raw canvas' prefetch multiplier (default: try some)")
    add("--timeout", type=float, default=60.0, help="seconds until a run counts as hung")
    add("--latency", type=_seconds, default=0.0, help="delay of every commit, such as 5ms")
    add("--profile", action="store_true", help="show which processes the CPU time went to")
    add("--quick", action="store_true", help="tiny graphs: does everything work?")
    add("--json", type=Path, help="where to write the figures (default: benchmarks/results/)")
    return parser


def _names(text: str) -> tuple[str, ...]:
    return _among(ALL, text.upper())


def _parts(text: str) -> tuple[str, ...]:
    return _among(PARTS, text.lower())


def _among(known: str, text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or not set(names) <= set(known.split(",")):
        raise argparse.ArgumentTypeError(f"{text!r} is not among {known}")
    return names


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)ms", text)
    if not found or float(found[1]) > 100:
        raise argparse.ArgumentTypeError(f"{text!r} is no delay of 0ms to 100ms")
    return float(found[1]) / 1000
