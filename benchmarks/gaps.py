"""Transitions: the time from the end of the last upstream to the start of a node. Pure."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil

Span = tuple[float, float]


def gaps(layers: Sequence[Sequence[Span]]) -> list[float]:
    """Return the transition of every node after the first layer, in seconds.

    Each layer has (began, ended) of its nodes, which need all nodes of the layer before.
    """
    found = []
    for before, layer in pairwise(layers):
        released = max(ended for _, ended in before)
        found += [began - released for began, _ in layer]
    return found


def percentile(values: Iterable[float], percent: float) -> float:
    """Return the smallest value that is not below `percent` of them (nearest rank), or NaN."""
    ordered = sorted(values)
    if not ordered:
        return float("nan")
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]
