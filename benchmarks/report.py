"""From samples to figures, a table and a JSON file. Pure, but for the writing."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contest import Record, Records
from benchmarks.gaps import percentile
from benchmarks.workloads import Workload

COLUMNS = (
    "workload", "side", "nodes/s", "(least - most)", "CPU-ms/node", "transition p50 ms", "p99 ms",
    "peak RSS MB", "Celesta / raw",
)  # fmt: skip

SIDES = ("celesta", "raw")


@dataclass(frozen=True)
class Figures:
    """What one side came to on one workload. None: it never came to an end."""

    nodes_per_s: float | None
    all_nodes_per_s: list[float]
    cpu_ms_per_node: float | None
    cpu_ms_by_process: dict[str, float]
    transition_p50_ms: float | None
    transition_p99_ms: float | None
    peak_rss_mb: float | None
    hung: list[str]


def figures(record: Record, nodes: int) -> Figures:
    """Return medians over the samples of a record, each of which ran so many nodes."""
    speeds = [nodes / sample.seconds for sample in record.samples]
    totals = [sum(sample.cpu.values()) * 1e3 / nodes for sample in record.samples]
    kinds = record.samples[0].cpu if record.samples else {}
    return Figures(
        _rounded(median(speeds), 1) if speeds else None,
        [round(speed, 1) for speed in speeds],
        _rounded(median(totals), 4) if totals else None,
        {
            kind: round(median(sample.cpu[kind] for sample in record.samples) * 1e3 / nodes, 4)
            for kind in kinds
        },
        _rounded(percentile(record.gaps, 50) * 1e3, 3),
        _rounded(percentile(record.gaps, 99) * 1e3, 3),
        _rounded(max(sample.peak_mb for sample in record.samples), 1) if speeds else None,
        record.hung,
    )


def ratio(ours: Figures, theirs: Figures) -> float | None:
    """Return how many times as fast we are; None when one of the two never came to an end."""
    if not ours.nodes_per_s or not theirs.nodes_per_s:
        return None
    return round(ours.nodes_per_s / theirs.nodes_per_s, 2)


def summary(workloads: Sequence[Workload], records: Records) -> dict[str, Any]:
    """Return the figures of every workload, for the JSON file."""
    found: dict[str, Any] = {}
    for workload in workloads:
        sides = {side: figures(records[workload.name, side], workload.nodes) for side in SIDES}
        found[workload.name] = {
            "title": workload.title,
            "nodes_per_run": workload.size,
            "runs_per_sample": workload.runs,
            **{side: asdict(value) for side, value in sides.items()},
            "ratio": ratio(sides["celesta"], sides["raw"]),
        }
    return found


def table(workloads: dict[str, Any]) -> str:
    """Return a summary as a Markdown table."""
    lines = [
        COLUMNS,
        tuple("-" * len(column) for column in COLUMNS),
        *(_line(name, side, found) for name, found in workloads.items() for side in SIDES),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def _line(name: str, side: str, workload: dict[str, Any]) -> tuple[str, ...]:
    value = workload[side]
    speeds = value["all_nodes_per_s"]
    hung = f" ({len(value['hung'])} hung)" if value["hung"] else ""
    return (
        f"{name}: {workload['title']}" if side == "celesta" else "",
        side,
        _shown(value["nodes_per_s"], 0) + hung,
        f"{min(speeds):.0f} - {max(speeds):.0f}" if speeds else "",
        _shown(value["cpu_ms_per_node"], 2),
        _shown(value["transition_p50_ms"], 2),
        _shown(value["transition_p99_ms"], 2),
        _shown(value["peak_rss_mb"], 0),
        _shown(workload["ratio"], 2) if side == "celesta" else "",
    )


def profile(workloads: dict[str, Any]) -> str:
    """Return where the CPU time of a node goes, a line for each side of each workload."""
    lines = []
    for name, workload in workloads.items():
        for side in SIDES:
            parts = workload[side]["cpu_ms_by_process"].items()
            shown = ", ".join(f"{kind} {spent * 1e3:.0f}" for kind, spent in parts)
            lines.append(f"  {name} {side:<8} {shown} us/node")
    return "\n".join(lines)


def write(path: Path, found: dict[str, Any]) -> None:
    """Write everything that is known of a benchmark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2, default=str, allow_nan=False) + "\n")


def _rounded(value: float, digits: int) -> float | None:
    return None if math.isnan(value) else round(value, digits)


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
