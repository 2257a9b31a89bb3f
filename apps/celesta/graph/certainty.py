"""Which nodes are sure to have succeeded: before a node runs, and at the end of a good run.

Sets of nodes are bit sets over the topological order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_

from celesta.graph.gates import ACCEPTS_FAILURE
from celesta.graph.plan import Rule


@dataclass(slots=True)
class Certain:
    """What is known of each node's ancestors; nodes are added in topological order.

    A node without a condition is taken not to skip itself. If its body does all the same, whoever
    reads its output fails with ``unresolved_reference``.
    """

    #: By node: those that have succeeded whenever it has.
    by_success: list[int] = field(default_factory=list)
    #: By node: the same, and the node itself.
    _with_itself: list[int] = field(default_factory=list)
    #: By node: those that have succeeded, itself perhaps among them, unless it ended badly.
    _unless_bad: list[int] = field(default_factory=list)
    #: Nodes that may be skipped.
    _skippable: int = 0

    def before(self, rule: Rule, upstreams: Sequence[int]) -> int:
        """Nodes that have succeeded whenever a node behind this gate runs."""
        if rule == "none_failed":
            return _union(self._unless_bad[upstream] for upstream in upstreams)
        each = [self._with_itself[upstream] for upstream in upstreams]
        if rule == "all_success":
            return _union(each)
        if rule == "any_success" and each:  # one of them has succeeded: who knows which
            return reduce(and_, each)
        return 0

    def add(
        self,
        rule: Rule,
        upstreams: Sequence[int],
        opened: int,
        *,
        known: int = 0,
        conditional: bool = False,
    ) -> None:
        """Add the next node; ``opened`` is what :meth:`before` said of it.

        ``known`` have succeeded if its condition holds.
        """
        index = len(self.by_success)
        succeeded = opened | known
        unless_bad = with_itself = succeeded | 1 << index
        if conditional:
            unless_bad &= opened
        by_gate = self._gate_may_skip(rule, upstreams)
        if by_gate:
            unless_bad &= self._when_skipped(rule, upstreams)
        self._skippable |= (conditional or by_gate) << index
        self.by_success.append(succeeded)
        self._with_itself.append(with_itself)
        self._unless_bad.append(unless_bad)

    def _gate_may_skip(self, rule: Rule, upstreams: Sequence[int]) -> bool:
        if not upstreams or rule in {"all_done", "none_failed"}:
            return False
        skippable = [bool(self._skippable >> upstream & 1) for upstream in upstreams]
        return rule == "any_failed" or (all if rule == "any_success" else any)(skippable)

    def _when_skipped(self, rule: Rule, upstreams: Sequence[int]) -> int:
        """Nodes that have succeeded whenever this gate skips its children."""
        if rule == "none_skipped":  # beside the skipped one, others may have failed
            return 0
        return _union(self._unless_bad[upstream] for upstream in upstreams)


def _union(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)


def one_of(rule: Rule, upstreams: Sequence[int]) -> int:
    """Upstreams of which at least one has succeeded whenever a node behind this gate runs."""
    return sum(1 << upstream for upstream in upstreams) if rule == "any_success" else 0


def handled(rules: Sequence[Rule], upstreams: Sequence[Sequence[int]]) -> int:
    """Nodes whose failure some child accepts."""
    found = 0
    for rule, above in zip(rules, upstreams, strict=True):
        if rule in ACCEPTS_FAILURE:
            for upstream in above:
                found |= 1 << upstream
    return found


def at_the_end(
    rules: Sequence[Rule], upstreams: Sequence[Sequence[int]], conditional: Sequence[bool]
) -> int:
    """Nodes that have succeeded in every run that did not fail.

    *Calm* nodes cannot end badly in such a run: their failure, or that of what they wait for, would
    have failed it. A node is sure when it is calm, has no condition, and its gate is sure to open.
    """
    accepted = handled(rules, upstreams)
    calm = sure = 0
    for i, (rule, above) in enumerate(zip(rules, upstreams, strict=True)):
        everyone = sum(1 << upstream for upstream in above)
        if not accepted >> i & 1 and _never_fails(rule, everyone, calm):
            calm |= 1 << i
            if not conditional[i] and _always_opens(rule, everyone, sure):
                sure |= 1 << i
    return sure


def _never_fails(rule: Rule, above: int, calm: int) -> bool:
    """True when the gate cannot end in ``fail`` without failing the run."""
    return rule in ACCEPTS_FAILURE or above & ~calm == 0


def _always_opens(rule: Rule, above: int, sure: int) -> bool:
    if rule in {"all_done", "none_failed"} or not above:  # being calm, none of them ends badly
        return True
    if rule == "any_failed":
        return False
    if rule in {"all_success", "none_skipped"}:
        return above & ~sure == 0
    return above & sure != 0
