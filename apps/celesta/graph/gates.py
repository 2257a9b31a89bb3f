"""When a gate opens: the table of verdicts by counts.

A gate counts how its upstream nodes ended. Only ``any_success`` and ``any_failed`` can open before
all upstreams have ended, and only towards running. Every negative verdict waits for all of them,
and a failure outranks a skip, so a verdict never depends on the order in which nodes end.

The database decides with the same table (``celesta/runs/sql``); a test compares the two.
"""

from __future__ import annotations

from typing import Literal, get_args

from celesta.graph.plan import Rule

Verdict = Literal["wait", "run", "skip", "fail"]

RULES: tuple[Rule, ...] = get_args(Rule)
DEFAULT_RULE: Rule = "all_success"

#: Rules that open as soon as one upstream has ended their way.
EARLY_RULES: frozenset[Rule] = frozenset({"any_success", "any_failed"})

#: Rules under which a child may still run after an upstream failed: such a failure is *handled*.
ACCEPTS_FAILURE: frozenset[Rule] = frozenset(
    {"all_done", "any_failed", "none_skipped", "any_success"}
)


def verdict(rule: Rule, *, total: int, succeeded: int, failed: int, skipped: int) -> Verdict:
    """What the children of a gate do.

    ``failed`` counts the upstreams that ended failed, upstream_failed or cancelled. ``run``
    releases the children, ``skip`` makes them skipped, ``fail`` makes them upstream_failed,
    ``wait`` means that it is too early to say.
    """
    if _opens_early(rule, succeeded, failed):
        return "run"
    if succeeded + failed + skipped < total:
        return "wait"
    return _settled(rule, failed, skipped)


def _opens_early(rule: Rule, succeeded: int, failed: int) -> bool:
    if rule == "any_success":
        return succeeded > 0
    return rule == "any_failed" and failed > 0


def _settled(rule: Rule, failed: int, skipped: int) -> Verdict:
    """The verdict once every upstream has ended (and no early rule has opened)."""
    if rule == "all_done":
        return "run"
    if rule == "none_skipped":
        return "skip" if skipped else "run"
    if rule == "any_failed":
        return "skip"
    if failed:
        return "fail"
    if rule == "none_failed":
        return "run"
    # What is left: all_success, and any_success that found no success.
    return "skip" if skipped else "run"
