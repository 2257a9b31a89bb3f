"""What the README shows is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from celesta.graph import documents
from celesta.graph.compiler import compile_document

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "docs" / "examples.md"]


def test_it_can_be_read_in_one_sitting() -> None:
    assert len(README.splitlines()) <= 120


def test_its_workflow_can_be_published() -> None:
    (source,) = re.findall(r"```yaml\n(.*?)```", README, flags=re.DOTALL)
    loaded = documents.load(source)
    compiled = compile_document(loaded.data, positions=loaded.positions)
    assert compiled.plan, compiled.problems


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if not (page.parent / target).exists()] == []
