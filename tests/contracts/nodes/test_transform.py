from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.nodes.harness import failure, output, run

SCOPE = {"params": {"n": 3, "who": "Ada"}, "nodes": {"a": {"output": {"rows": [1, 2]}}}}


@pytest.mark.parametrize("kind", ["transform", "end"])
@pytest.mark.parametrize(
    ("written", "value"),
    [
        (None, None),
        (7, 7),
        ("plain", "plain"),
        ("{{ params.n }}", 3),
        ({"deep": ["{{ nodes.a.output.rows }}"]}, {"deep": [[1, 2]]}),
    ],
)
def test_the_output_is_the_resolved_value(kind: str, written: Any, value: Any) -> None:
    assert output(run(kind, {"output": written}, SCOPE)) == value


def test_an_end_without_output_gives_null() -> None:
    assert output(run("end", {})) is None


def test_a_reference_to_nothing_fails() -> None:
    assert not failure(run("transform", {"output": "{{ params.gone }}"}, SCOPE)).retryable
