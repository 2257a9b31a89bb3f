"""Issue 2, section 3: 10,000 nodes and 50,000 edges, an expression in each, within 3 seconds."""

from __future__ import annotations

import json
import time
from random import Random
from typing import Any

import pytest

from celesta.graph import documents
from celesta.graph.cel.parser import parse
from celesta.graph.compiler import compile_document
from celesta.graph.findings import MAX_PROBLEMS
from tests.unit.graph.support import TYPES

NODES, EDGES, LAYERS = 10_000, 50_000, 100


def layered(seed: int) -> dict[str, Any]:
    """A random DAG in layers; every node reads two of its upstreams."""
    random = Random(seed)
    width = NODES // LAYERS
    nodes: dict[str, Any] = {}
    for i in range(NODES):
        layer = i // width
        expression = f"params.x + {i}"
        node: dict[str, Any] = {"type": "transform"}
        nodes[f"n{i}"] = node
        if layer:
            extra = i % (LAYERS - 1) < EDGES - 5 * (NODES - width) and i % 19 == 0
            ups = random.sample(range((layer - 1) * width, layer * width), 6 if extra else 5)
            node["needs"] = [f"n{up}" for up in ups]
            expression = f"nodes.n{ups[0]}.output + nodes.n{ups[1]}.output * {i}"
        node["with"] = {"output": f"{{{{ {expression} }}}}"}
    params = {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}}
    return {"workflow": "big", "params": params, "nodes": nodes}


@pytest.mark.long  # alone on its core: it is a matter of seconds
def test_a_large_workflow_compiles_within_three_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = layered(seed=7)
    edges = sum(len(node.get("needs", ())) for node in document["nodes"].values())
    assert edges >= EDGES
    forms: tuple[documents.Format, ...] = ("json", "yaml")
    text = json.dumps(document)  # which is YAML as well
    for form in forms:
        # The better of two: other work on the machine makes CPU time longer, never shorter.
        read, took = min((_seconds(text, form) for _ in range(2)), key=lambda times: times[1])
        with capsys.disabled():
            print(f"\n{NODES} nodes, {edges} edges, {form}: read {read:.2f} s, all {took:.2f} s")
        assert took <= 3


def _seconds(text: str, form: documents.Format) -> tuple[float, float]:
    """CPU time of reading a document, and of reading and compiling it."""
    parse.cache_clear()
    began = time.process_time()
    loaded = documents.load(text, fmt=form)
    read = time.process_time() - began
    compiled = compile_document(loaded.data, positions=loaded.positions, registry=TYPES)
    took = time.process_time() - began
    assert compiled.plan is not None, compiled.problems[:3]
    return read, took


def test_ten_thousand_faults_are_reported_in_reasonable_time() -> None:
    document = layered(seed=8)
    for name, node in document["nodes"].items():
        node["with"] = {"output": f"{{{{ nodes.{name}.output }}}}"}
    loaded = documents.load(json.dumps(document, indent=1))
    began = time.process_time()
    compiled = compile_document(loaded.data, positions=loaded.positions, registry=TYPES)
    assert len(compiled.problems) == NODES
    assert time.process_time() - began <= 20


@pytest.mark.parametrize(
    "node",
    [
        {"tpye": "transform"},
        {"type": "transform", "needs": ["somebody"], "with": {"output": 1}},
        {"type": "transform", "with": {"output": "{{ nodes.somebody.output }}"}},
        {"type": "transform", "with": {"output": "{{ vars.somebody }}"}},
    ],
    ids=["field", "need", "node", "variable"],
)
def test_suggestions_for_thousands_of_faults_do_not_take_an_hour(node: dict[str, Any]) -> None:
    document = {"workflow": "a", "nodes": {f"node_{i}": node for i in range(5000)}}
    began = time.process_time()

    compiled = compile_document(document, variables=[f"variable_{i}" for i in range(1000)])

    assert len(compiled.problems) >= 5000
    assert time.process_time() - began <= 20


def test_suggestions_end_at_their_limit_and_begin_anew_for_the_next_document() -> None:
    wrong = {f"node{i}": {"type": "transform", "needs": [f"nod{i}"]} for i in range(2000)}

    for _ in range(2):
        problems = compile_document({"workflow": "a", "nodes": wrong}).problems
        told = [problem for problem in problems if problem.code == "unknown_need"]
        assert told[0].hint == "Did you mean 'node0'?"
        assert len(told) == 2000
        assert told[-1].hint == ""


def test_no_more_problems_are_told_than_anybody_reads() -> None:
    needs = {f"n{i}": {"type": "transform", "needs": ["n0"] * 100} for i in range(1, 1000)}
    document = {"workflow": "a", "nodes": {"n0": {"type": "transform"}, **needs}}

    compiled = compile_document(document)

    assert compiled.plan is None
    assert len(compiled.problems) == MAX_PROBLEMS + 1
    assert compiled.problems[-1].code == "too_many_problems"
    assert compiled.problems[-1].severity == "error"
