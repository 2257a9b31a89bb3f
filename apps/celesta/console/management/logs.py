"""What the nodes of a run said, on a terminal."""

from __future__ import annotations

import time
from logging import WARNING
from typing import Final

from django.core.management.base import CommandError
from django.utils import timezone

from celesta.access.principals import Principal
from celesta.client.cli.printing import plain
from celesta.console.management.terminal import Terminal
from celesta.graph.plan import Plan
from celesta.runs import log_queries, queries
from celesta.runs.models import LogLine, Run
from celesta.runs.states import TERMINAL_RUN

PAUSE: Final = 0.4  # seconds between looks
PAGE: Final = 500
#: Seconds after the end of a run in which the last lines of its nodes may still come.
LINGER: Final = 1.5


def tell(
    run: Run, principal: Principal, terminal: Terminal, *, node: str | None, follow: bool
) -> None:
    """Print the lines of a run or of one of its nodes; with ``follow`` until the run is over."""
    plan = queries.plan_of(run.version_id)
    lines = log_queries.of_run(run.pk)
    if node is not None:
        known = plan.by_name()
        if node not in known:
            raise CommandError(f"The workflow has no node {node!r}; see: manage.py run show")
        lines = lines.filter(node=known[node].index)
    after, ends = 0, None
    while True:
        while found := log_queries.settled(lines, after, PAGE):
            for line in found:
                _tell(plan, line, terminal)
            after = found[-1].number
        # Lines that a young gap holds back are still to come.
        is_late = ends is not None and time.monotonic() > ends
        if not follow or (is_late and not lines.filter(number__gt=after).exists()):
            return
        if ends is None and queries.runs(principal).get(pk=run.pk).state in TERMINAL_RUN:
            ends = time.monotonic() + LINGER
        time.sleep(PAUSE)


def _tell(plan: Plan, line: LogLine, terminal: Terminal) -> None:
    words = log_queries.words(plan, line)
    if terminal.as_json:
        terminal.value(words)
        return
    item = f" #{line.scope}" if line.scope else ""
    attempt = f" (attempt {line.attempt})" if line.attempt > 1 else ""
    severity = "error" if line.level > WARNING else "warning" if line.level == WARNING else ""
    level = terminal.paint(words["level"].ljust(8), severity)
    at = f"{timezone.localtime(line.at):%H:%M:%S}"
    terminal.line(
        f"  {at}  {level} {words['node']}{item}{attempt}  {plain(f'{line.logger}: {line.text}')}"
    )
