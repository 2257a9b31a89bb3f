"""The law of states, kept by the database itself: what cannot be is refused whoever writes it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from celesta.access import workspaces
from celesta.runs.models import NodeRun, Run
from celesta.runs.states import (
    NODE_TRANSITIONS,
    RUN_TRANSITIONS,
    NodeState,
    RunState,
    is_terminal,
)
from celesta.workflows.publishing import publish

DOCUMENT = "workflow: one\nnodes:\n  only: {type: transform, with: {output: 1}}\n"


@pytest.fixture
def run(db: None) -> Run:
    version = publish(workspaces.default(), DOCUMENT, by=None)
    return Run.objects.create(
        id=uuid4(),
        workspace=version.workflow.workspace,
        workflow=version.workflow,
        version=version,
        created_at=datetime.now(UTC),
    )


def accepted(row: Run | NodeRun, state: str, *, finished: bool) -> bool:
    """Whether the database takes that state with or without an end; nothing of it stays."""
    at = datetime.now(UTC) if finished else None
    try:
        with transaction.atomic():
            type(row)._default_manager.filter(pk=row.pk).update(state=state, finished_at=at)
            transaction.set_rollback(True)
    except IntegrityError:
        return False
    return True


def test_the_database_refuses_states_that_cannot_be(run: Run) -> None:
    node = NodeRun.objects.create(run=run, scope=0, node=0, state="pending")
    rows: list[tuple[Run | NodeRun, list[RunState] | list[NodeState]]] = [
        (run, list(RUN_TRANSITIONS)),
        (node, list(NODE_TRANSITIONS)),
    ]
    for row, states in rows:
        for state in states:
            # Then an end belongs to the final states, and to no other.
            assert accepted(row, state, finished=is_terminal(state)), state
            assert not accepted(row, state, finished=not is_terminal(state)), state
        assert not accepted(row, "bored", finished=False)
