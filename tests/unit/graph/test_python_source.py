"""D12: any document can be written with the DSL, and is then the same document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from celesta.graph import documents
from celesta.graph.document_form import checksum, normalise
from celesta.graph.dsl import Workflow
from celesta.graph.python_source import python_source
from tests.unit.graph.test_dsl import TWIN

ROOT = Path(__file__).parents[3]
FILES = sorted(
    [*(ROOT / "examples").rglob("*.yaml"), *(ROOT / "apps").rglob("celesta_templates/*.yaml")]
)


def document_in(path: Path) -> dict[str, Any]:
    """The document of an example, or of a template behind its header."""
    text = path.read_text()
    return documents.load(text.partition("\n---\n")[2] or text).data


def rebuilt(document: dict[str, Any]) -> Workflow:
    scope: dict[str, Any] = {}
    exec(compile(python_source(document), "flow.py", "exec"), scope)
    flow = scope["flow"]
    assert isinstance(flow, Workflow)
    return flow


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_example_and_template_is_the_same_in_python(path: Path) -> None:
    document = document_in(path)
    flow = rebuilt(document)
    assert flow.document() == normalise(document)
    assert checksum(normalise(flow.document())) == checksum(normalise(document))
    assert checksum(normalise(documents.load(flow.yaml()).data)) == checksum(normalise(document))


def test_there_are_examples_and_templates() -> None:
    assert len(FILES) >= 29


AWKWARD = """
workflow: awkward
output: false
tags: ["quote ' and \\" and \\\\"]
nodes:
  a: {type: transform, with: {output: {}}}
  b:
    type: other
    needs: [a]
    when: "true"
    join: all_done
    retry: {attempts: 2}
    with: {type: t, name: n, needs: [x], settings: {}, with_: 1, class: c, a b: 2, for: 1h, self: s}
  c:
    type: map
    with: {over: [], do: {type: other, queue: q, with: {type: t, for: x, when: y}}}
  d: {type: map, with: {over: [1], do: {type: other}}}
"""


@pytest.mark.parametrize("text", [TWIN, AWKWARD])
def test_names_that_python_keeps_for_itself_and_empty_values(text: str) -> None:
    document = documents.load(text).data
    assert rebuilt(document).document() == normalise(document)


def test_it_reads_like_python() -> None:
    document = documents.load(
        "workflow: a\nnodes:\n  x: {type: wait, title: Breathe, with: {for: 1h}}\n"
        "  y: {type: transform, needs: [x], with: {output: '{{ run.id }}'}}\n"
    ).data
    assert python_source(document) == (
        "from celesta.graph.dsl import Workflow, body\n"
        "\n"
        "flow = Workflow('a')\n"
        "\n"
        "flow.node(\n"
        "    'x',\n"
        "    'wait',\n"
        "    settings={'title': 'Breathe'},\n"
        "    with_={'for': '1h'},\n"
        ")\n"
        "\n"
        "flow.node(\n"
        "    'y',\n"
        "    'transform',\n"
        "    needs=['x'],\n"
        "    output='{{ run.id }}',\n"
        ")\n"
    )
