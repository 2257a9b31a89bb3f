"""docs/workflows.md says what the code does: its examples compile, all codes are on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from celesta.graph import documents
from celesta.graph.cel.functions import FUNCTIONS
from celesta.graph.cel.parser import MACROS, parse
from celesta.graph.problems import Problem
from tests.unit.graph.support import compiled, flow

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/workflows.md").read_text()
SOURCES = [path.read_text() for path in (ROOT / "apps/celesta/graph").rglob("*.py")]


def blocks(language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return [text for found, text in fenced if found == language]


def problems_of(document: dict[str, Any]) -> list[Problem]:
    return [p for p in compiled(document).problems if p.code != "unknown_node_type"]


def test_the_example_compiles() -> None:
    example, condition = blocks("yaml")
    assert problems_of(documents.load(example).data) == []
    route = {"type": "branch", "with": {"cases": {"large": "{{ true }}"}}}
    assert problems_of(flow({"route": route, **documents.load(condition).data})) == []


def test_the_expressions_can_be_read() -> None:
    lines = blocks("")[0].splitlines()
    assert len([parse(line) for line in lines]) >= 3


def test_the_python_example_builds_a_valid_document() -> None:
    scope: dict[str, Any] = {"__name__": "docs_example"}
    exec(compile(blocks("python")[0], "docs/workflows.md", "exec"), scope)
    document = {**scope["document"], "params": {"properties": {"order_id": {"default": 1}}}}
    assert problems_of(document) == []


def test_every_function_is_on_the_page() -> None:
    words = set(re.findall(r"math\.\w+|\w+", PAGE))
    assert (FUNCTIONS.keys() | MACROS) - words == set()


CODE = re.compile(
    r"(?:findings\.(?:error|warning)|_?refused|_invalid|_error|Fault|Problem|_Refused|ExpressionError)"
    r"\(\s*\"([a-z0-9_]+)\"|^    code = \"([a-z_]+)\"",
    re.MULTILINE,
)


def test_every_code_is_on_the_page() -> None:
    codes = {code for text in SOURCES for pair in CODE.findall(text) for code in pair if code}
    codes -= {"invalid_document"}
    assert len(codes) > 40
    missing = sorted(code for code in codes if f"`{code}`" not in PAGE)
    assert missing == []


@pytest.mark.parametrize("rule", ["all_success", "none_failed", "all_done", "any_success"])
def test_every_rule_is_on_the_page(rule: str) -> None:
    assert f"| `{rule}` |" in PAGE
