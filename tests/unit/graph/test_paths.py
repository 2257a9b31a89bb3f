from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celesta.graph import paths

STEPS = st.lists(st.one_of(st.text(min_size=1, max_size=8), st.integers(0, 99)), max_size=6)


def test_a_path_reads_like_code() -> None:
    assert paths.render(("nodes", "pay", "needs", 0)) == "nodes.pay.needs[0]"
    assert paths.render(("with", "headers", "X.Trace")) == 'with.headers["X.Trace"]'
    assert paths.render(()) == ""


@given(STEPS)
def test_every_path_can_be_read_back(steps: list[str | int]) -> None:
    assert paths.parse(paths.render(tuple(steps))) == tuple(steps)


@pytest.mark.parametrize("text", ["a b", "a[", "a[x]", '["open'])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        paths.parse(text)
