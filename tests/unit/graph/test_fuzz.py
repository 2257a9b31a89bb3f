"""Whatever an author sends: problems come back, never an exception; and what compiles is sound."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from celesta.graph import documents
from celesta.graph.plan import Plan
from celesta.graph.problems import DocumentInvalid
from tests.unit.graph.support import compiled

NAMES = st.sampled_from(["a", "b", "c", "end", "route", "route.x", "a.do", "", "é", "2x"])
TEXTS = st.sampled_from(
    [
        "{{ nodes.a.output }}",
        "{{ nodes.b.output.x + 1 }} and {{ params.x }}",
        "{{ has(nodes.c.output) ? item : vars.x }}",
        "{{ [1].map(i, nodes[i]) }}",
        "{{ 'open }}",
        "{{",
        "\\{{ x }}",
        "true",
        "5m",
        "",
    ]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 12), st.floats(), TEXTS, NAMES)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
TYPES = st.sampled_from(["transform", "branch", "map", "http", "python", "approval", "nothing"])
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "output": VALUES,
        "over": VALUES,
        "do": st.one_of(VALUES, st.fixed_dictionaries({"type": TYPES, "with": VALUES})),
        "cases": st.dictionaries(NAMES, SCALARS, max_size=3),
        "default": NAMES,
        "url": SCALARS,
    },
)
NODES = st.fixed_dictionaries(
    {"type": st.one_of(TYPES, VALUES)},
    optional={
        "needs": st.one_of(st.lists(NAMES, max_size=3), VALUES),
        "join": st.sampled_from(["all_done", "any_success", "none_failed", "x", 5]),
        "when": st.one_of(TEXTS, VALUES),
        "with": st.one_of(CONFIGS, VALUES),
        "retry": VALUES,
        "timeout": SCALARS,
        "priority": SCALARS,
        "compensates": SCALARS,
        "unknown": VALUES,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"nodes": st.one_of(st.dictionaries(NAMES, st.one_of(NODES, VALUES), max_size=4), VALUES)},
    optional={
        "workflow": st.one_of(st.just("a.b"), VALUES),
        "params": st.one_of(st.just({"properties": {"x": {}}}), VALUES),
        "defaults": VALUES,
        "output": VALUES,
        "tags": VALUES,
    },
)


@settings(max_examples=500, deadline=None)
@given(DOCUMENTS)
def test_no_document_makes_the_compiler_raise(document: dict[str, Any]) -> None:
    result = compiled(document)
    errors = [problem for problem in result.problems if problem.severity == "error"]
    assert (result.plan is None) == bool(errors)
    if result.plan is not None:
        assert Plan.from_json(result.plan.to_json()) == result.plan
        assert compiled(result.document).checksum == result.checksum


@settings(max_examples=500, deadline=None)
@given(st.text("{}[]&*!|>-:,'\"# \n\tab01.<~%@`", max_size=60) | st.text() | st.binary())
def test_no_text_makes_the_reader_raise_anything_else(text: str | bytes) -> None:
    forms: tuple[documents.Format | None, ...] = (None, "json")
    for form in forms:
        try:
            loaded = documents.load(text, fmt=form)
        except DocumentInvalid:
            continue
        for path in ("a", "0", "a.b[0]", "nothing"):
            assert loaded.positions.find(path)
