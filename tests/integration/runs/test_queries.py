"""Reading runs: events that are never missed, ids by their beginning."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection

from celesta.access import workspaces
from celesta.access.principals import SYSTEM, Principal
from celesta.runs import queries
from celesta.runs.connection import parameters
from celesta.runs.models import Event, NodeRun, Run
from celesta.workflows.publishing import publish

DOCUMENT = """\
workflow: one
nodes:
  only: {type: transform, with: {output: 1}}
"""
INSERT = (
    "INSERT INTO celesta_event (run_id, at, kind) VALUES (%s, clock_timestamp(), %s) RETURNING id"
)


@pytest.fixture
def run(transactional_db: None) -> Run:
    workspace = workspaces.default()
    version = publish(workspace, DOCUMENT, by=None)
    return Run.objects.create(
        id=uuid4(),
        workspace=workspace,
        workflow=version.workflow,
        version=version,
        created_at=datetime.now(UTC),
    )


@pytest.fixture
def writers(run: Run) -> Iterator[list[psycopg.Connection]]:
    """Two connections besides Django's own."""
    made = [psycopg.connect(**parameters()) for _ in range(2)]
    yield made
    for writer in made:
        writer.close()


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def test_an_event_that_commits_late_is_not_passed_by(
    run: Run, writers: list[psycopg.Connection]
) -> None:
    # Given an earlier id that is not committed yet, and a later one that is
    slow, quick = writers
    quick.execute(INSERT, [run.pk, "first"])
    quick.commit()
    first = queries.settled_events(run.pk, 0, 100)[-1].pk
    slow.execute(INSERT, [run.pk, "slow"])
    quick.execute(INSERT, [run.pk, "quick"])
    quick.commit()

    # Then a reader waits with the later one
    assert queries.settled_events(run.pk, first, 100) == []

    # When the earlier one is committed, Then both come, in order
    slow.commit()
    assert kinds(queries.settled_events(run.pk, first, 100)) == ["slow", "quick"]


def test_what_was_seen_before_the_gap_still_comes(
    run: Run, writers: list[psycopg.Connection]
) -> None:
    slow, quick = writers
    quick.execute(INSERT, [run.pk, "first"])
    quick.commit()
    slow.execute(INSERT, [run.pk, "slow"])
    quick.execute(INSERT, [run.pk, "last"])
    quick.commit()

    events = queries.settled_events(run.pk, 0, 100)
    assert kinds(events) == ["first"]

    slow.commit()
    assert kinds(queries.settled_events(run.pk, events[-1].pk, 100)) == ["slow", "last"]


def test_a_gap_that_is_never_filled_holds_nothing_up_for_long(
    run: Run, writers: list[psycopg.Connection]
) -> None:
    # Given an id that was given out and rolled back long ago
    slow, quick = writers
    slow.execute(INSERT, [run.pk, "never"])
    slow.rollback()
    quick.execute(INSERT, [run.pk, "old"])
    quick.commit()
    Event.objects.update(at=datetime.now(UTC) - timedelta(minutes=1))
    quick.execute(INSERT, [run.pk, "young"])
    quick.commit()

    assert kinds(queries.settled_events(run.pk, 0, 100)) == ["old", "young"]


def test_events_of_other_runs_are_no_gap(run: Run, writers: list[psycopg.Connection]) -> None:
    quick = writers[0]
    for kind in ("a", "b"):
        quick.execute(INSERT, [run.pk, kind])
        quick.execute(INSERT, [uuid4(), "other"])
    quick.commit()

    assert kinds(queries.settled_events(run.pk, 0, 100)) == ["a", "b"]


def test_a_run_is_found_by_how_its_id_begins(run: Run) -> None:
    rows = queries.runs(SYSTEM)
    text = str(run.pk)

    for length in (1, 8, 9, 13, 36):
        assert list(queries.with_id_prefix(rows, text[:length])) == [run]
    other = UUID(int=run.pk.int ^ (1 << 100))
    assert not queries.with_id_prefix(rows, str(other)[:12]).exists()
    for nonsense in ("", "x", "%", text + "0", "\N{ARABIC-INDIC DIGIT ONE}"):
        with pytest.raises(ValueError, match="UUID"):
            queries.with_id_prefix(rows, nonsense)


def test_a_list_of_runs_reads_no_documents(run: Run) -> None:
    sql = str(queries.runs(SYSTEM).query)

    for heavy in ("plan_json", "source", '"document"', '"draft"'):
        assert heavy not in sql


def test_runs_of_another_workspace_are_not_there(run: Run) -> None:
    stranger = Principal("stranger", roles={run.workspace_id + 1: "admin"})
    member = Principal("member", roles={run.workspace_id: "viewer"})

    assert list(queries.runs(stranger)) == []
    assert list(queries.runs(member)) == [run]


def test_node_runs_are_counted(run: Run) -> None:
    now = datetime.now(UTC)
    for scope, state in enumerate(["succeeded", "failed", "failed"]):
        NodeRun.objects.create(
            run=run, scope=scope, node=0, state=state, via="lane", finished_at=now
        )
    NodeRun.objects.create(run=run, scope=0, node=1, state="pending")

    assert queries.counts_by_state(run.pk) == {"succeeded": 1, "failed": 2, "pending": 1}
    assert queries.states_by_node(run.pk) == {0: {"succeeded": 1, "failed": 2}, 1: {"pending": 1}}
    assert queries.travels_by_node(run.pk) == {0: {"lane": 3}}
    connection.close()
