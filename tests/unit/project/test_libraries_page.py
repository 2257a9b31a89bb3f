"""docs/libraries.md has every library that requirements.in names, and no other."""

from __future__ import annotations

import re
from importlib.metadata import metadata

import pytest

from project import ROOT

PAGE = (ROOT / "docs/libraries.md").read_text().partition("## In the pages")[0]
ROWS = dict(re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", PAGE, re.M))


def test_the_page_has_every_direct_dependency_and_no_other() -> None:
    lines = (ROOT / "requirements.in").read_text().splitlines()
    named = [re.match(r"[A-Za-z0-9_.-]+", line) for line in lines if not line.startswith("#")]
    assert list(ROWS) == [match[0] for match in named if match]


@pytest.mark.parametrize("library", ROWS)
def test_the_licence_is_the_one_that_the_library_declares(library: str) -> None:
    declared = metadata(library)
    expression = declared["License-Expression"]
    if expression:
        assert ROWS[library].strip() == expression
        return
    # Older packages say it in words of their own: the family has to agree.
    said = " ".join([declared["License"] or "", *(declared.get_all("Classifier") or [])])
    assert ROWS[library].split("-")[0].strip() in said
