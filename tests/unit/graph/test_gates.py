"""X3: every rule with every mix of how upstreams ended."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from celesta.graph.gates import EARLY_RULES, RULES, Verdict, verdict
from celesta.graph.plan import Rule

ENDS = ("succeeded", "failed", "skipped")


def of(rule: Rule, ends: tuple[str, ...], total: int) -> Verdict:
    return verdict(
        rule,
        total=total,
        succeeded=ends.count("succeeded"),
        failed=ends.count("failed"),
        skipped=ends.count("skipped"),
    )


def by_the_book(rule: Rule, ends: tuple[str, ...]) -> str:
    """docs/workflows.md, "Join rules", word by word."""
    some = {end: end in ends for end in ENDS}
    book = {
        "all_success": "fail" if some["failed"] else "skip" if some["skipped"] else "run",
        "none_failed": "fail" if some["failed"] else "run",
        "all_done": "run",
        "any_success": "run" if some["succeeded"] else "fail" if some["failed"] else "skip",
        "any_failed": "run" if some["failed"] else "skip",
        "none_skipped": "skip" if some["skipped"] else "run",
    }
    return book[rule]


@pytest.mark.parametrize("rule", RULES)
def test_the_table_of_verdicts_is_the_one_in_the_docs(rule: Rule) -> None:
    for count in (1, 2, 3, 4):
        for ends in product(ENDS, repeat=count):
            assert of(rule, ends, count) == by_the_book(rule, ends), ends


@pytest.mark.parametrize("rule", RULES)
def test_only_early_rules_open_before_all_have_ended_and_only_towards_running(rule: Rule) -> None:
    for known, count in ((1, 2), (2, 3), (1, 4)):
        for ends in product(ENDS, repeat=known):
            early = of(rule, ends, count)
            wanted = {"any_success": "succeeded", "any_failed": "failed"}.get(rule)
            assert early == ("run" if rule in EARLY_RULES and wanted in ends else "wait")


@pytest.mark.parametrize("rule", RULES)
def test_the_order_in_which_upstreams_end_does_not_matter(rule: Rule) -> None:
    for ends in product(ENDS, repeat=3):
        decided = set()
        for order in permutations(ends):
            verdicts = [of(rule, order[:seen], 3) for seen in (1, 2, 3)]
            decided.add(next(v for v in verdicts if v != "wait"))
        assert len(decided) == 1, (ends, decided)
