"""docs/architecture.md says what the code says: states, moves, functions, tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from celesta.runs.states import NODE_TRANSITIONS, RUN_TRANSITIONS, may_move

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
DIAGRAMS = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", PAGE, re.DOTALL)


def moves(diagram: str) -> dict[str, set[str]]:
    """The arrows of a state diagram; ``[*]`` is its beginning and its end."""
    found: dict[str, set[str]] = {}
    for before, after in re.findall(r"^  (\S+) --> (\S+)$", diagram, re.MULTILINE):
        found.setdefault(before, set()).add(after)
    return found


@pytest.mark.parametrize(
    ("diagram", "law"), list(zip(DIAGRAMS, (RUN_TRANSITIONS, NODE_TRANSITIONS), strict=True))
)
def test_the_diagrams_have_the_moves_of_the_law_and_no_other(
    diagram: str, law: Mapping[str, frozenset[str]]
) -> None:
    expected = {str(before): set(map(str, after)) or {"[*]"} for before, after in law.items()}
    assert moves(diagram) == {"[*]": {"pending"}, **expected}
    # Every line is an arrow that was read above.
    assert len(diagram.strip().splitlines()) == 1 + sum(map(len, expected.values()))


def test_what_is_asked_move_by_move_is_the_same_law() -> None:
    for before, allowed in RUN_TRANSITIONS.items():
        assert {after for after in RUN_TRANSITIONS if may_move(before, after)} == allowed
    for node, following in NODE_TRANSITIONS.items():
        assert {after for after in NODE_TRANSITIONS if may_move(node, after)} == following


def test_every_table_of_runs_is_on_the_page() -> None:
    models = (ROOT / "apps" / "celesta" / "runs" / "models.py").read_text()
    tables = re.findall(r'db_table = "(\w+)"', models)
    assert len(tables) > 10
    assert [table for table in tables if f"`{table}`" not in PAGE] == []
