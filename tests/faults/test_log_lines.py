"""What nodes log and print is kept, by node and attempt, within bounds, and soon."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from celesta.runs.models import LogLine, Run
from celesta_worker.log_lines import MAX_BYTES, MAX_LINE, MAX_LINES
from tests.faults.conftest import Stage
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

#: What test.speak says: level, logger, text (the first line of a traceback's).
SPOKEN = [
    (20, "shop.orders", "logged a"),
    (30, "celesta.node", "by the context"),
    (20, "stdout", "printed a"),
    (20, "stderr", "to stderr"),
    (20, "stdout", "nul \ufffd and surrogate \\udcff"),
    (40, "shop.orders", "it went wrong"),
    (20, "stdout", "no line break"),
]


def lines(run: Run, node: str = "a", attempt: int | None = None) -> list[LogLine]:
    """The lines of a node, in order."""
    index = run.version.plan.by_name()[node].index
    found = LogLine.objects.filter(run_id=run.pk, node=index).order_by("seq")
    return list(found if attempt is None else found.filter(attempt=attempt))


def said(found: Iterable[LogLine]) -> list[tuple[int, str, str]]:
    return [(line.level, line.logger, line.text.split("\n")[0]) for line in found]


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
@pytest.mark.parametrize("redirect", ["", "1"], ids=["plain", "redirected"])
def test_everything_a_body_says_is_kept_once(stage: Stage, pool: str, redirect: str) -> None:
    worker = stage.worker(pool=pool, env={"CELESTA_TEST_REDIRECT": redirect})
    run = stage.start({"a": stage.node("test.speak"), "b": stage.node("test.ok", "a")})
    stage.ends(run)

    wait_for(lambda: len(lines(run)) >= len(SPOKEN), told=worker.output)
    kept = lines(run)
    assert said(kept) == SPOKEN
    assert {(line.scope, line.attempt) for line in kept} == {(0, 1)}
    assert "ValueError: invalid literal" in kept[5].text
    assert lines(run, "b") == []
    assert "printed" in worker.output(), "it goes where it went before, too"


def test_a_line_is_stored_while_its_body_runs_and_soon(stage: Stage, tmp_path: Path) -> None:
    stage.worker()
    gate = tmp_path / "go on"
    run = stage.start({"a": stage.node("test.speak", args={"path": str(gate)})})
    wait_for(lambda: len(lines(run)) >= len(SPOKEN) - 1)

    first = lines(run)[0]
    behind = (first.stored_at - first.at).total_seconds()
    print(f"stored {behind:.3f} s after it was said")
    assert behind <= 5
    assert stage.states(run)["a"] == "running"
    gate.touch()
    stage.ends(run)
    wait_for(lambda: said(lines(run)) == SPOKEN)


def test_async_nodes_and_threads_are_told_apart(stage: Stage) -> None:
    stage.worker(pool="threads", concurrency=3)
    quiet = {"args": {"seconds": 0.2}}
    nodes = {f"a{i}": stage.node("test.aspeak", **quiet) for i in range(5)}
    nodes |= {f"s{i}": stage.node("test.speak") for i in range(5)}
    run = stage.ends(stage.start(nodes))

    wait_for(lambda: LogLine.objects.filter(run_id=run.pk).count() == 5 * 3 + 5 * 7)
    for i in range(5):
        texts = [line.text for line in lines(run, f"a{i}")]
        assert texts == [f"before a{i}", f"after a{i}", f"in a thread of a{i}"]
        assert said(lines(run, f"s{i}"))[0] == (20, "shop.orders", f"logged s{i}")


@pytest.mark.parametrize("redirect", ["", "1"], ids=["plain", "redirected"])
def test_what_a_shared_task_says_counts_too(stage: Stage, redirect: str) -> None:
    stage.worker(env={"CELESTA_TEST_REDIRECT": redirect})
    node = {"type": "celery", "queue": stage.queue, "with": {"task": "test.shared_speaker"}}
    run = stage.ends(stage.start({"a": node}))

    wait_for(lambda: len(lines(run)) >= 2)
    assert said(lines(run)) == [(20, "billing", "charged"), (20, "stdout", "printed by a task")]


def test_an_attempt_keeps_a_bounded_number_of_lines_and_says_what_it_dropped(stage: Stage) -> None:
    stage.worker()
    many = {"lines": MAX_LINES + 500, "width": 10}
    wide = {"lines": 100, "width": 3 * MAX_LINE}
    run = stage.start({
        "a": stage.node("test.chatter", args=many),
        "b": stage.node("test.chatter", args=wide),
    })  # fmt: skip
    stage.ends(run)

    wait_for(lambda: sum(line.dropped for line in lines(run)) == 500)
    kept = lines(run)
    assert len(kept) == MAX_LINES + 2
    assert "reached" in kept[-2].text
    assert "500 lines were not kept" in kept[-1].text
    wait_for(lambda: any(line.dropped for line in lines(run, "b")))
    broad = [line for line in lines(run, "b") if line.logger == "stdout"]
    assert max(len(line.text.encode()) for line in broad) <= MAX_LINE
    assert sum(len(line.text.encode()) for line in broad) <= MAX_BYTES
    assert sum(line.dropped for line in lines(run, "b")) == 100 - len(broad)


def test_a_killed_process_loses_no_more_than_its_last_words(stage: Stage) -> None:
    stage.worker()
    run = stage.ends(stage.start({"a": stage.node("test.last_words", args={"pause": 2.0})}))

    assert run.state == "succeeded"
    texts = [line.text for line in lines(run, attempt=1)]
    assert texts in (["long before the end"], ["long before the end", "just before the end"])


def test_a_worker_that_is_told_to_end_stores_what_was_said(stage: Stage) -> None:
    worker = stage.worker()
    run = stage.start({"a": stage.node("test.chatter", args={"lines": 300, "width": 20})})
    stage.began()
    worker.stop()  # the body is done in a moment, and its process with it
    stage.worker()
    stage.ends(run)

    wait_for(lambda: len(lines(run)) == 300)


def test_a_level_can_be_chosen_and_all_of_it_turned_off(stage: Stage) -> None:
    stage.worker(env={"CELESTA_TEST_NODE_LOG_LEVEL": "ERROR"})
    run = stage.ends(stage.start({"a": stage.node("test.speak")}))
    wait_for(lambda: len(lines(run)) >= 5)
    assert {line.level for line in lines(run) if line.logger == "shop.orders"} == {40}


def test_nothing_is_kept_when_it_is_off(stage: Stage) -> None:
    worker = stage.worker(env={"CELESTA_TEST_NODE_LOG_LEVEL": "OFF"})
    run = stage.ends(stage.start({"a": stage.node("test.speak")}))
    worker.stop()  # as it ends it stores what waits
    assert lines(run) == []
