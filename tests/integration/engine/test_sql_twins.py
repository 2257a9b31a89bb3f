"""What is said twice, in Python and in SQL, is said alike; and hot rows stay hot."""

from __future__ import annotations

import itertools
import random

import pytest

from celesta.graph.gates import RULES, verdict
from celesta.runs.connection import one, rows
from celesta.runs.states import NODE_TRANSITIONS, TERMINAL_NODE, NodeState
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import Outcome, begin, drive

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("rule", RULES)
def test_the_table_of_verdicts_is_the_same(rule: str) -> None:
    for total in range(1, 6):
        for good, bad, skipped in itertools.product(range(total + 1), repeat=3):
            if good + bad + skipped > total:
                continue
            expected = verdict(rule, total=total, succeeded=good, failed=bad, skipped=skipped)  # type: ignore[arg-type]
            (found,) = one(
                "SELECT celesta_verdict_v1(%s::text, %s::int, %s::int, %s::int, %s::int)",
                (rule, total, good, bad, skipped),
            )
            assert found == expected, (rule, total, good, bad, skipped)


def test_every_move_in_the_history_is_in_the_law() -> None:
    """The states that random runs pass through, read from their events, are moves of the table."""
    rand = random.Random(11)
    plan = plan_of({"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"], "f": ["d"]})
    fates = ["succeeded", "succeeded", "failed", "skipped"]
    version = publish_plan(plan)
    for _ in range(10):
        fate = {node: rand.choice(fates) for node in range(7)}
        run, sent = begin(version)
        drive(run, sent, _fated(fate), rand)
        found = rows(
            "SELECT scope, node, kind FROM celesta_event"
            " WHERE run_id = %s::uuid AND node IS NOT NULL"
            " ORDER BY id",
            (run,),
        )
        states: dict[tuple[int, int], str] = {}
        for scope, node, kind in found:
            after = "ready" if kind == "handed_back" else kind
            before = states.get((scope, node))
            if before is not None:
                assert NodeState(after) in NODE_TRANSITIONS[NodeState(before)], (before, after)
            states[scope, node] = after
        assert set(map(NodeState, states.values())) <= TERMINAL_NODE


def _fated(fate: dict[int, str]) -> Outcome:
    return lambda _, node: fate[node]


def test_updates_of_node_runs_stay_hot() -> None:
    # Given node runs moved many times over,
    middle = [f"m{i}" for i in range(200)]
    version = publish_plan(plan_of({"a": [], **{m: ["a"] for m in middle}, "z": middle}))
    rand = random.Random(5)
    rows("SELECT pg_stat_force_next_flush()") if _version() >= 15 else None
    before = _updates()
    for _ in range(10):
        run, sent = begin(version)
        drive(run, sent, lambda *_: "succeeded", rand)
    # when the database counts which updates touched no index,
    rows("SELECT pg_stat_force_next_flush()") if _version() >= 15 else None
    after = _updates()
    updates, hot = after[0] - before[0], after[1] - before[1]
    # then nearly all did: one index on a moving column would take this to nothing.
    print(f"{hot} of {updates} updates of node_run were HOT")
    assert updates > 4000
    assert hot / updates >= 0.95


def _version() -> int:
    return int(one("SHOW server_version_num")[0]) // 10000


def _updates() -> tuple[int, int]:
    rows("SELECT pg_stat_clear_snapshot()")
    found = one(
        "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
        " WHERE relname = 'celesta_node_run'"
    )
    return int(found[0]), int(found[1])
