"""X5 under faults: the limit of a map is held whatever happens to its items."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from celesta.runs.models import NodeRun
from tests.faults.conftest import Stage
from tests.processes import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

LIMIT = 3
ITEMS = 120


def spans(log: Path, killed: dict[int, float]) -> list[tuple[float, float]]:
    """When each body began and ended; that of a killed process ended with it."""
    begun: dict[str, float] = {}
    found: list[tuple[float, float]] = []
    for line in log.read_text().splitlines():
        at, mark, pid, *who = line.split()
        key = " ".join([pid, *who])
        if mark == "begin":
            begun[key] = float(at)
        else:
            found.append((begun.pop(key), float(at)))
    found += [(at, killed[int(key.split()[0])]) for key, at in begun.items()]
    return found


def most_at_once(found: list[tuple[float, float]]) -> int:
    """The largest number of spans that share a moment."""
    marks = sorted([(end, -1) for _, end in found] + [(begin, 1) for begin, _ in found])
    running = most = 0
    for _, step in marks:
        running += step
        most = max(most, running)
    return most


def test_no_more_items_run_at_once_than_the_map_allows(stage: Stage) -> None:
    # Given more slots than the map may use, and items a third of which fail at first,
    first, second = stage.worker(concurrency=3), stage.worker(concurrency=3)
    body = {
        "type": "python",
        "with": {
            "function": "test.span",
            "args": {"seconds": 0.04, "log": str(stage.log), "fails": "{{ item % 3 == 0 }}"},
        },
        "retry": {"attempts": 3, "backoff": "100ms", "jitter": False},
    }
    each = {"over": "{{ nodes.numbers.output }}", "max_parallel": LIMIT, "do": body}
    numbers = {"function": "test.range", "args": {"count": ITEMS}}
    run = stage.start(
        {
            "numbers": {"type": "python", "queue": stage.queue, "with": numbers},
            "each": {"type": "map", "queue": stage.queue, "needs": ["numbers"], "with": each},
        }
    )
    # when processes are killed in mid item, one worker drains and another comes,
    killed: dict[int, float] = {}
    for round_ in range(2):
        wait_for(lambda least=15 * (round_ + 1): stage.log.exists() and _bodies(stage) > least)  # type: ignore[misc]
        pid = _in_mid_body(stage, set(first.children()), killed)
        os.kill(pid, signal.SIGKILL)
        killed[pid] = time.monotonic()
    second.kill(signal.SIGTERM)
    stage.worker(concurrency=3)
    run = stage.ends(run, deadline=40)
    # then every item ended, and never were there more at once.
    assert run.state == "succeeded"
    assert NodeRun.objects.filter(run_id=run.pk, scope__gt=0, state="succeeded").count() == ITEMS
    found = spans(stage.log, killed)
    most = most_at_once(found)
    print(f"{len(found)} bodies of {ITEMS} items, {most} at once at most")
    assert len(found) >= ITEMS + ITEMS // 3
    assert most == LIMIT


def test_async_items_keep_to_the_limit_of_their_map(stage: Stage) -> None:
    # Async bodies share a slot by the hundred, but not those of a map with a limit.
    stage.worker(concurrency=2)
    args = {"seconds": 0.02, "log": str(stage.log)}
    body = {"type": "python", "with": {"function": "test.aspan", "args": args}}
    each = {"over": list(range(40)), "max_parallel": 2, "do": body}
    run = stage.ends(stage.start({"each": {"type": "map", "queue": stage.queue, "with": each}}))
    assert run.state == "succeeded"
    found = spans(stage.log, {})
    assert (len(found), most_at_once(found)) == (40, 2)


def _bodies(stage: Stage) -> int:
    return stage.log.read_text().count(" begin ")


def _in_mid_body(stage: Stage, pids: set[int], killed: dict[int, float]) -> int:
    """One of these processes that has begun a body and not ended it."""

    def now() -> list[int]:
        last = {
            int(line.split()[2]): line.split()[1] for line in stage.log.read_text().splitlines()
        }
        return [p for p in pids if last.get(p) == "begin" and p not in killed]

    wait_for(now)
    return (now() or [pids.pop()])[0]
