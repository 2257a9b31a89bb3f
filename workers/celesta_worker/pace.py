"""How many nodes a slot takes at once: arithmetic on measured durations.

Nodes known to be short stay together and share commits; unknown ones begin with one and double
while a batch stays within the budget; long ones are taken singly, so that every slot gets some.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST = 512
#: A node that took longer (seconds) is reported at once, and its like are not batched.
SLOW = 0.005
#: How far a measurement moves what is known: a longer one further, so that a node which turns out
#: long is told at once, and yet not as far as one hiccup of the machine would have it.
SHORTER, LONGER = 0.3, 0.5


class Durations:
    """Moving averages of what nodes took, by (version, node), in seconds. One per process."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], float] = {}

    def learn(self, version: int, node: int, seconds: float) -> None:
        """Take in one measurement. The first counts in full."""
        before = self._known.get((version, node), seconds)
        weight = LONGER if seconds > before else SHORTER
        self._known[version, node] = before + weight * (seconds - before)

    def may_be_long(self, version: int, node: int) -> bool:
        """True when the node is unknown, or known to be slow."""
        known = self._known.get((version, node))
        return known is None or known > SLOW

    def longest(self, version: int, nodes: Iterable[int]) -> float | None:
        """The longest known duration among the nodes; None when one of them is unknown."""
        longest = 0.0
        for node in nodes:
            known = self._known.get((version, node))
            if known is None:
                return None
            longest = max(longest, known)
        return longest


class Pace:
    """The allowance of one lane: how many nodes it may hold at once."""

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self.allowance = 1

    def measured(self, nodes: int, seconds: float) -> None:
        """Learn from a batch: double while it is quick, go back to single nodes when it is slow."""
        if nodes and seconds / nodes > SLOW:
            self.allowance = 1
        elif nodes * 2 >= self.allowance and seconds < self.budget / 2:
            self.allowance = min(MOST, self.allowance * 2)
        elif seconds > self.budget:
            self.allowance = max(1, self.allowance // 2)

    def take(self, longest: float | None) -> int:
        """How many to take; ``longest`` is the longest duration among them (None: unknown)."""
        if longest is None:
            return self.allowance
        if longest > SLOW:
            return 1
        return max(1, min(MOST, int(self.budget / max(longest, 1e-6))))
