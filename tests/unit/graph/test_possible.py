"""Verdicts that are possible when it is not certain how the nodes before a gate will end."""

from itertools import chain, combinations, product

import pytest

from celesta.graph.gates import RULES, verdict
from celesta.graph.plan import Rule
from celesta.graph.possible import ENDS, Ends, verdicts

#: Every way of not knowing how one node ends.
KINDS: list[Ends] = [
    frozenset(ends) for ends in chain.from_iterable(combinations(ENDS, n) for n in (1, 2, 3))
]


@pytest.mark.parametrize("rule", RULES)
def test_they_are_those_of_all_combinations_of_ends(rule: Rule) -> None:
    for upstreams in chain(
        product(KINDS, repeat=1), product(KINDS, repeat=2), product(KINDS[2:], repeat=3)
    ):
        told = {
            verdict(
                rule,
                total=len(ends),
                succeeded=ends.count("succeeded"),
                failed=ends.count("failed"),
                skipped=ends.count("skipped"),
            )
            for ends in product(*upstreams)
        }
        assert verdicts(rule, upstreams) == told, upstreams


def test_many_upstreams_cost_little() -> None:
    unknown: Ends = frozenset({"succeeded", "skipped"})
    assert verdicts("all_success", [unknown] * 10_000) == {"run", "skip"}
