"""docs/existing-project.md names every setting and every check, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from celesta import checks, conf
from project import ROOT

PAGE = (ROOT / "docs" / "existing-project.md").read_text()


def first_cells(heading: str) -> set[str]:
    """The words in code of the first column of the table below a heading."""
    table = PAGE.partition(f"# {heading}\n")[2].partition("\n#")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def test_every_setting_is_in_the_table() -> None:
    assert first_cells("Settings") == set(conf.DEFAULTS)


def test_every_check_is_in_the_table() -> None:
    assert checks.__file__
    known = set(re.findall(r'id="(celesta\.[EW]\d+)"', Path(checks.__file__).read_text()))

    assert first_cells("What the checks say") == known
    assert len(known) >= 11
