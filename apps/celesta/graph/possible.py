"""What gates may say when it is not certain how the nodes before them will end.

A node that was not run may end in several ways; so many verdicts are possible for its children.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from celesta.graph.gates import Verdict, verdict
from celesta.graph.plan import Rule

End = Literal["succeeded", "failed", "skipped"]
Ends = frozenset[End]

ENDS: Final[tuple[End, ...]] = ("succeeded", "failed", "skipped")


def verdicts(rule: Rule, upstreams: Iterable[Ends]) -> frozenset[Verdict]:
    """Every verdict of a gate whose upstreams end each in one of these ways.

    Upstreams are taken for independent: a verdict too many may be told, never one too few.
    """
    # A verdict only asks which ways of ending occur at all, so sets of them are enough.
    mixes: set[Ends] = {frozenset()}
    for ends in upstreams:
        mixes = {mix | {end} for mix in mixes for end in ends}
    return frozenset(_verdict(rule, mix) for mix in mixes)


def _verdict(rule: Rule, mix: Ends) -> Verdict:
    succeeded, failed, skipped = (int(end in mix) for end in ENDS)
    total = succeeded + failed + skipped
    return verdict(rule, total=total, succeeded=succeeded, failed=failed, skipped=skipped)
