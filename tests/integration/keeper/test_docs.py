"""The page for operators says what the code does."""

from __future__ import annotations

import re

import pytest

from celesta import conf
from celesta.runs.connection import rows
from project import ROOT

PAGE = (ROOT / "docs" / "operations-recovery.md").read_text()


def test_the_settings_have_the_defaults_that_the_page_tells() -> None:
    told = re.findall(r"^\| `([A-Z_]+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)
    assert len(told) == 7
    assert {name: float(value) for name, value in told} == {
        name: float(conf.DEFAULTS[name]) for name, _ in told
    }


@pytest.mark.django_db(transaction=True)
def test_the_queries_of_the_page_run() -> None:
    (block,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    statements = [statement for statement in block.split(";") if statement.strip()]
    assert len(statements) == 3
    for statement in statements:
        rows(statement)
