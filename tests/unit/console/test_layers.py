"""The layered drawing: properties that hold for every acyclic graph."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from celesta.console.drawing.layers import GAP_Y, Edge, Size, arrange, isotonic, layers_of

BOX = Size(100.0, 40.0)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[Edge]]:
    count = draw(st.integers(1, 14))
    pairs = [(a, b) for b in range(count) for a in range(b)]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    return count, list(edges)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_edges_lead_right_and_boxes_do_not_overlap(graph: tuple[int, list[Edge]]) -> None:
    count, edges = graph
    layout = arrange(dict.fromkeys(range(count), BOX), edges)
    columns: dict[float, list[float]] = defaultdict(list)
    for item in range(count):
        x, y = layout.at[item]
        columns[x].append(y)
        assert 0 <= x <= layout.width - BOX.width
        assert BOX.height / 2 <= y <= layout.height - BOX.height / 2
    for column in columns.values():
        for above, below in pairwise(sorted(column)):
            assert below - above >= BOX.height + GAP_Y - 0.001
    for source, target in edges:
        route = layout.routes[source, target]
        assert route[0] == (layout.at[source][0] + BOX.width, layout.at[source][1])
        assert route[-1] == layout.at[target]
        assert all(b[0] >= a[0] for a, b in pairwise(route))
        assert len(route) % 2 == 0  # curves and straight lines in turn, curves at both ends


@given(graphs())
def test_a_layer_is_one_more_than_the_last_before_it(graph: tuple[int, list[Edge]]) -> None:
    count, edges = graph
    layer = layers_of(list(range(count)), edges)
    for item in range(count):
        before = [layer[a] for a, b in edges if b == item]
        assert layer[item] == (max(before) + 1 if before else 0)


@given(st.lists(st.floats(-1e6, 1e6)))
def test_isotonic_never_falls_and_keeps_the_mean(values: list[float]) -> None:
    fitted = isotonic(values)
    assert all(a <= b + 1e-6 for a, b in pairwise(fitted))
    assert abs(sum(fitted) - sum(values)) < 1e-3
    assert isotonic(sorted(values)) == sorted(values)


def test_two_parallel_chains_do_not_cross() -> None:
    edges: list[Edge] = [(0, 3), (1, 2), (2, 4), (3, 5)]
    layout = arrange(dict.fromkeys(range(6), BOX), edges)
    upper = layout.at[0][1] < layout.at[1][1]
    assert (layout.at[3][1] < layout.at[2][1]) is upper
    assert (layout.at[5][1] < layout.at[4][1]) is upper


def test_nothing_is_drawn_of_nothing() -> None:
    assert arrange({}, []).at == {}
