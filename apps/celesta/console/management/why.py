"""Why a run does not go on, on a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from django.core.management.base import CommandError

from celesta.client.cli.printing import plain
from celesta.console.management.terminal import Terminal
from celesta.runs import queries
from celesta.runs.models import Run
from celesta.runs.states import TERMINAL_NODE
from celesta.runs.why_facts import why_waiting

#: Nodes told of when none is named; more of them wait for these.
MOST: Final = 20


def tell_why(run: Run, terminal: Terminal, *, node: str | None, scope: int) -> None:
    """Print the causes of one node, or of those that have not ended, the nearest ones first."""
    plan = queries.plan_of(run.version_id)
    rows = queries.node_runs(run.pk)
    if node is not None:
        if node not in plan.by_name():
            raise CommandError(f"The workflow has no node {node!r}; see: manage.py run show")
        rows = rows.filter(node=plan.by_name()[node].index, scope=scope)
    else:
        rows = rows.exclude(state__in=TERMINAL_NODE)
    found = sorted(rows[:1000], key=lambda row: (row.state == "pending", row.scope, row.node))
    if not found:
        raise CommandError("There is no such node in this run." if node else f"It is {run.state}.")
    for row in found[:MOST]:
        name = plan.nodes[row.node].name
        causes = why_waiting(run, row)
        if terminal.as_json:
            told = [asdict(cause) for cause in causes]
            terminal.value({"node": name, "scope": row.scope, "state": row.state, "causes": told})
            continue
        item = f" #{row.scope}" if row.scope else ""
        terminal.line(f"{name}{item}: {terminal.paint(row.state, row.state)}")
        for cause in causes:
            terminal.line(plain(f"  {cause.message} [{cause.code}]"))
    if len(found) > MOST:
        terminal.line(f"... and {len(found) - MOST} more nodes")
