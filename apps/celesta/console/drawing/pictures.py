"""The drawn graph of a plan: boxes and lines ready for a template, coloured by state when given.

Above :data:`DRAWN` nodes it is an overview instead: groups of layers with counts by state.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

from celesta.console.drawing.layers import Item, Layout, Size, arrange, layers_of
from celesta.graph.plan import NONE, Plan, PlanNode

#: More nodes than these are not drawn one by one.
DRAWN = 2_000
#: Boxes of an overview.
GROUPS = 48
BOX = Size(168.0, 54.0)
JOINT = Size(0.0, 8.0)
#: Letters of a label that fit into a box.
FITS = 16
BAR = BOX.width - 24
#: Pixels; wider graphs keep their size and are scrolled.
NARROWED = 1600.0
#: Wider graphs are at first seen from so far away that nobody can read a label.
FAR = 4000.0

Counts = Mapping[str, int]
Edge = tuple[Item, Item]


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: nodes of one state."""

    state: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Box:
    """One node, by its upper left corner."""

    node: int
    x: float
    y: float
    label: str
    name: str
    kind: str
    state: str
    note: str = ""
    bar: Sequence[Segment] = ()
    #: True for a map: its bar and numbers come when it is expanded.
    many: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One edge, as an SVG path; ``state`` is that of the node it comes from."""

    path: str
    state: str = ""
    arrow: bool = True
    #: Index of the node it comes from; NONE from where several edges meet.
    source: int = NONE


@dataclass(frozen=True, slots=True)
class Group:
    """Some layers of an overview."""

    label: str
    total: int
    bar: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class Picture:
    """What the template draws: ``boxes`` and ``lines``, or ``groups`` of a large graph."""

    width: float = 0.0
    height: float = 0.0
    boxes: Sequence[Box] = ()
    lines: Sequence[Line] = ()
    groups: Sequence[Group] = ()
    box: Size = field(default=BOX)

    @property
    def bar(self) -> float:
        """The width of a map's bar."""
        return BAR

    @property
    def fits(self) -> bool:
        """True when it can still be read after it was made as narrow as a page."""
        return self.width <= NARROWED

    @property
    def far(self) -> bool:
        """True when its labels cannot be read before one has come closer."""
        return self.width > FAR


def picture(
    plan: Plan, states: Mapping[int, str] | None = None, maps: Mapping[int, Counts] | None = None
) -> Picture:
    """Draw a plan. ``states`` by node index; ``maps``: counts of item states by the map's index."""
    states, maps = states or {}, maps or {}
    shown = [node for node in plan.nodes if visible(node)]
    if is_large(plan):
        return Picture(groups=_groups(plan, shown, states))
    edges, layout = _arranged(plan, shown)
    boxes = [_box(node, layout, states.get(node.index, ""), maps) for node in shown]
    lines = [_line(edge, layout, states) for edge in edges]
    return Picture(layout.width, layout.height, boxes, lines)


#: Layouts by the plan's identity: to lay out a thousand nodes takes a third of a second.
_layouts: OrderedDict[int, tuple[Plan, list[Edge], Layout]] = OrderedDict()
LAYOUTS = 32


def _arranged(plan: Plan, shown: Sequence[PlanNode]) -> tuple[list[Edge], Layout]:
    """Edges and layout; kept for as long as the plan itself is (``queries.plan_of``)."""
    kept = _layouts.get(id(plan))
    if kept is None or kept[0] is not plan:
        edges = _edges(plan, {node.index for node in shown})
        sizes: dict[Item, Size] = {node.index: BOX for node in shown}
        sizes |= {item: JOINT for edge in edges for item in edge if item not in sizes}
        kept = _layouts[id(plan)] = plan, edges, arrange(sizes, edges)
        if len(_layouts) > LAYOUTS:
            _layouts.popitem(last=False)
    return kept[1], kept[2]


def is_large(plan: Plan) -> bool:
    """True when it is drawn by its layers."""
    return sum(visible(node) for node in plan.nodes) > DRAWN


def visible(node: PlanNode) -> bool:
    """True for what an author wrote: neither a map's body (shown there) nor a bare ``end``."""
    return node.body_of == NONE and not node.auto


def kind_of(node: PlanNode) -> str:
    """What kind of node it is, in the words of its author: the end of a run is its output."""
    return "output" if node.type == "end" else node.type


def segments(counts: Counts, width: float) -> list[Segment]:
    """A bar of that width, parted by state, in the order of :data:`STATES`."""
    total, x, parts = sum(counts.values()), 0.0, []
    for state in sorted(counts, key=_rank):
        part = counts[state] / total * width if total else 0.0
        parts.append(Segment(state, counts[state], round(x, 2), round(part, 2)))
        x += part
    return parts


#: Order in which states are shown.
STATES = (
    "succeeded",
    "failed",
    "upstream_failed",
    "running",
    "waiting",
    "ready",
    "pending",
    "skipped",
    "cancelled",
)


def _rank(state: str) -> int:
    return STATES.index(state) if state in STATES else len(STATES)


def _edges(plan: Plan, shown: set[int]) -> list[Edge]:
    """Gates become joints where that saves lines: ten nodes that need ten are 20 lines, not 100."""
    edges: list[Edge] = []
    for gate in plan.gates:
        ups = [up for up in gate.upstreams if up in shown]
        downs = [node for node in gate.nodes if node in shown]
        if len(ups) * len(downs) > len(ups) + len(downs):
            joint = ("gate", gate.index)
            edges += [(up, joint) for up in ups] + [(joint, down) for down in downs]
        else:
            edges += [(up, down) for up in ups for down in downs]
    return list(dict.fromkeys(edges))


def _box(node: PlanNode, layout: Layout, state: str, maps: Mapping[int, Counts]) -> Box:
    x, middle = layout.at[node.index]
    counts = maps.get(node.index, {})
    return Box(
        node=node.index,
        x=round(x, 1),
        y=round(middle - BOX.height / 2, 1),
        label=shortened(node.title or node.name),
        name=node.name,
        kind=kind_of(node),
        state=state,
        note=_progress(counts),
        bar=segments(counts, BAR),
        many=node.body != NONE,
    )


def _progress(counts: Counts) -> str:
    done = sum(n for state, n in counts.items() if state not in ("pending", "ready", "running"))
    return f"{done:,} / {sum(counts.values()):,}" if counts else ""


def shortened(label: str, fits: int = FITS) -> str:
    """The label, cut at its end to what fits into a box."""
    return label if len(label) <= fits else f"{label[: fits - 1]}…"


def _line(edge: Edge, layout: Layout, states: Mapping[int, str]) -> Line:
    points = layout.routes[edge]
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for i, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
        bend = (to_x - x) / 2
        curve = f"C{x + bend:.1f} {y:.1f} {to_x - bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        parts.append(curve if i % 2 == 0 else f"H{to_x:.1f}")
    source, target = edge
    state = states.get(source, "") if isinstance(source, int) else ""
    index = source if isinstance(source, int) else NONE
    return Line(" ".join(parts), state, arrow=isinstance(target, int), source=index)


def _groups(plan: Plan, shown: Sequence[PlanNode], states: Mapping[int, str]) -> list[Group]:
    edges = _edges(plan, {node.index for node in shown})
    items: list[Item] = [node.index for node in shown]
    items += list({item for edge in edges for item in edge} - set(items))
    layer = layers_of(items, edges)
    numbers = sorted({layer[node.index] for node in shown})
    size = ceil(len(numbers) / GROUPS)
    group_of = {number: i // size for i, number in enumerate(numbers)}
    counts: dict[int, Counter[str]] = {}
    for node in shown:
        group = counts.setdefault(group_of[layer[node.index]], Counter())
        group[states.get(node.index, "pending")] += 1
    return [_group(number, size, len(numbers), counts[number]) for number in sorted(counts)]


def _group(number: int, size: int, layers: int, counts: Counter[str]) -> Group:
    first, last = number * size + 1, min((number + 1) * size, layers)
    label = f"Layer {first}" if first == last else f"Layers {first} to {last}"
    return Group(label, counts.total(), segments(counts, 160.0))
