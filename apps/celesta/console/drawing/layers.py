"""Place the nodes of a graph in columns, so that edges lead right, cross little and bend little.

The layered drawing of Sugiyama, Tagawa and Toda (1981): longest-path layers, invisible points where
an edge passes a layer, orders by medians of the neighbours, and positions by isotonic
regression (pool adjacent violators), which moves each column as little as its order allows.
Pure: numbers in, numbers out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

Item = Hashable
Edge = tuple[Item, Item]

SWEEPS = 8
GAP_X = 40.0
GAP_Y = 16.0


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height of a box, in pixels."""

    width: float
    height: float


#: Where an edge passes a layer it needs a little room of its own.
PASSAGE = Size(0.0, 6.0)


@dataclass(frozen=True, slots=True)
class Layout:
    """``at`` holds the left edge and the middle of each item; ``routes`` the
    points of each edge: curves and straight lines in turn, beginning with a curve."""

    at: Mapping[Item, tuple[float, float]]
    routes: Mapping[Edge, Sequence[tuple[float, float]]]
    width: float
    height: float


def layers_of(items: Sequence[Item], edges: Iterable[Edge]) -> dict[Item, int]:
    """The layer of each item: one more than the greatest of its predecessors."""
    follows: dict[Item, list[Item]] = defaultdict(list)
    missing = dict.fromkeys(items, 0)
    for source, target in edges:
        follows[source].append(target)
        missing[target] += 1
    layer = dict.fromkeys(items, 0)
    ready = [item for item in items if not missing[item]]
    for item in ready:  # grows while it is walked through: a topological order
        for target in follows[item]:
            layer[target] = max(layer[target], layer[item] + 1)
            missing[target] -= 1
            if not missing[target]:
                ready.append(target)
    return layer


def arrange(sizes: Mapping[Item, Size], edges: Sequence[Edge]) -> Layout:
    """Lay out an acyclic graph; ``sizes`` has every item, in the order to prefer."""
    layer = layers_of(list(sizes), edges)
    sizes, steps, chains = _with_passages(sizes, edges, layer)
    columns = _ordered(layer, steps)
    middle = _placed(columns, sizes, steps)
    sides, width = _columns_x(columns, sizes)
    at = {item: (sides[layer[item]][0], middle[item]) for item in sizes}
    routes = {
        edge: _route([(*sides[layer[item]], middle[item]) for item in chain], sizes[edge[0]].width)
        for edge, chain in chains.items()
    }
    top = min((middle[i] - sizes[i].height / 2 for i in sizes), default=0.0)
    bottom = max((middle[i] + sizes[i].height / 2 for i in sizes), default=0.0)
    lift = GAP_Y - top
    return Layout(
        {item: (x, y + lift) for item, (x, y) in at.items()},
        {edge: [(x, y + lift) for x, y in route] for edge, route in routes.items()},
        width,
        bottom - top + 2 * GAP_Y,
    )


def _with_passages(
    sizes: Mapping[Item, Size], edges: Sequence[Edge], layer: dict[Item, int]
) -> tuple[dict[Item, Size], list[Edge], dict[Edge, list[Item]]]:
    """Split edges over several layers into steps; ``layer`` gains the passages."""
    sizes, steps, chains = dict(sizes), [], {}
    for source, target in edges:
        chain: list[Item] = [source]
        for between in range(layer[source] + 1, layer[target]):
            passage = ("passage", source, target, between)
            sizes[passage], layer[passage] = PASSAGE, between
            chain.append(passage)
        chain.append(target)
        chains[source, target] = chain
        steps += list(pairwise(chain))
    return sizes, steps, chains


def _ordered(layer: Mapping[Item, int], steps: Sequence[Edge]) -> list[list[Item]]:
    columns: list[list[Item]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for item, number in layer.items():
        columns[number].append(item)
    before, after = _neighbours(steps)
    for sweep in range(SWEEPS):
        forward = sweep % 2 == 0
        near = before if forward else after
        for number in range(len(columns))[:: 1 if forward else -1]:
            _sort_by_median(columns[number], near, columns[number + (-1 if forward else 1) :][:1])
    return columns


def _sort_by_median(
    column: list[Item], near: Mapping[Item, list[Item]], fixed: Sequence[list[Item]]
) -> None:
    place = {item: i for i, item in enumerate(fixed[0])} if fixed else {}
    own = {item: i for i, item in enumerate(column)}

    def wanted(item: Item) -> float:
        places = [place[n] for n in near.get(item, ()) if n in place]
        return median(places) if places else float(own[item])

    column.sort(key=wanted)


def _neighbours(steps: Sequence[Edge]) -> tuple[dict[Item, list[Item]], dict[Item, list[Item]]]:
    before: dict[Item, list[Item]] = defaultdict(list)
    after: dict[Item, list[Item]] = defaultdict(list)
    for source, target in steps:
        before[target].append(source)
        after[source].append(target)
    return before, after


def _placed(
    columns: Sequence[Sequence[Item]], sizes: Mapping[Item, Size], steps: Sequence[Edge]
) -> dict[Item, float]:
    """The middle of each item: near its neighbours, in its column's order, without overlap."""
    before, after = _neighbours(steps)
    middle: dict[Item, float] = {}
    for column in columns:
        offsets = _offsets(column, sizes)
        half = offsets[-1] / 2
        middle |= {item: o - half for item, o in zip(column, offsets, strict=True)}
    for sweep in range(SWEEPS):
        near = before if sweep % 2 == 0 else after
        for column in columns if sweep % 2 == 0 else reversed(columns):
            offsets = _offsets(column, sizes)
            wanted = [
                fmean(middle[n] for n in near[i]) if near.get(i) else middle[i] for i in column
            ]
            fitted = isotonic([w - o for w, o in zip(wanted, offsets, strict=True)])
            for item, level, offset in zip(column, fitted, offsets, strict=True):
                middle[item] = level + offset
    return middle


def _offsets(column: Sequence[Item], sizes: Mapping[Item, Size]) -> list[float]:
    """The least distances of the items' middles from the first one's."""
    found = [0.0]
    for above, below in pairwise(column):
        found.append(found[-1] + (sizes[above].height + sizes[below].height) / 2 + GAP_Y)
    return found[: len(column)] or [0.0]


def isotonic(values: Sequence[float]) -> list[float]:
    """The non-decreasing numbers nearest to the values (least squares)."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        mean, count = value, 1
        while blocks and blocks[-1][0] > mean:
            other, size = blocks.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        blocks.append((mean, count))
    return [mean for mean, count in blocks for _ in range(count)]


def _columns_x(
    columns: Sequence[Sequence[Item]], sizes: Mapping[Item, Size]
) -> tuple[list[tuple[float, float]], float]:
    """The left and right side of each column, and the width of all."""
    sides, x = [], GAP_X / 2
    for column in columns:
        width = max((sizes[item].width for item in column), default=0.0)
        sides.append((x, x + width))
        x += width + GAP_X
    return sides, x - GAP_X / 2


def _route(places: Sequence[tuple[float, float, float]], width: float) -> list[tuple[float, float]]:
    """From the first item's right side, straight through the columns passed, to the last's left."""
    (first, _, y), last = places[0], places[-1]
    passages = [point for left, right, at in places[1:-1] for point in ((left, at), (right, at))]
    return [(first + width, y), *passages, (last[0], last[2])]
