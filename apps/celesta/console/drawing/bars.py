"""Runs over time as stacked bars, ready for a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from celesta.runs.figures import Bucket

#: Pixels of the drawing; it is stretched to its card's width.
WIDTH, HEIGHT, GAP = 960.0, 140.0, 4.0
#: The thinnest part that is still seen.
THINNEST = 2.0
#: From the ground up: what went well carries what did not.
STACK = (
    "succeeded",
    "skipped",
    "cancelled",
    "pending",
    "paused",
    "cancelling",
    "running",
    "failed",
)


@dataclass(frozen=True, slots=True)
class Part:
    """Runs of one state in one bar."""

    state: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bar:
    """The runs of one span of time; ``x`` is its left edge."""

    begin: datetime
    total: int
    x: float
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars beside each other, the highest one as high as the drawing."""

    width: float
    height: float
    bar: float
    most: int
    bars: Sequence[Bar]


def chart(buckets: Sequence[Bucket]) -> Chart:
    """Draw the buckets, oldest first."""
    step = WIDTH / max(len(buckets), 1)
    most = max((bucket.total for bucket in buckets), default=0)
    bars = [_bar(bucket, i * step + GAP / 2, most) for i, bucket in enumerate(buckets)]
    return Chart(WIDTH, HEIGHT, round(step - GAP, 1), most, bars)


def _bar(bucket: Bucket, x: float, most: int) -> Bar:
    parts, ground = [], HEIGHT
    for state in STACK:
        if count := bucket.counts.get(state, 0):
            height = max(count / most * (HEIGHT - len(STACK) * THINNEST), THINNEST)
            ground -= height
            parts.append(Part(state, count, round(ground, 1), round(height, 1)))
    return Bar(bucket.begin, bucket.total, round(x, 1), parts)
