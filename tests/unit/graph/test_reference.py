"""When a run fails: the cases that the reference interpreter must tell apart."""

from __future__ import annotations

import pytest

from tests.reference import interpret
from tests.unit.graph.support import flow, plan_of

GRAPH = """
pay: {type: transform}
ship: {type: transform, needs: [pay]}
apologise: {type: transform, needs: [pay], join: any_failed}
one: {type: transform}
two: {type: transform}
first: {type: transform, needs: [one, two], join: any_success}
"""


@pytest.mark.parametrize(
    ("failing", "run"),
    [
        ("", "succeeded"),
        ("pay", "succeeded"),  # apologise accepts it
        ("ship", "failed"),
        ("pay apologise", "failed"),
        ("one", "succeeded"),  # two will do
        ("one two", "failed"),  # no alternative is left
        ("first", "failed"),
    ],
)
def test_a_run_fails_by_a_failure_that_nobody_accepts(failing: str, run: str) -> None:
    def body(node: object) -> str:
        return "failed" if getattr(node, "name", "") in failing.split() else "succeeded"

    assert interpret(plan_of(flow(GRAPH)), body).run == run
