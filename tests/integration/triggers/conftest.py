"""A published workflow to be started, and schedules of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from celesta.access import workspaces
from celesta.runs import connection
from celesta.triggers import schedules
from celesta.triggers.models import Schedule
from celesta.workflows import publishing
from celesta.workflows.models import WorkflowVersion

DOCUMENT = """\
workflow: reports.daily
params: {type: object, required: [day], properties: {day: {type: string}}}
nodes:
  a: {type: transform, with: {output: "{{ params.day }}"}}
"""
NOON = datetime(2030, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="session", autouse=True)
def _engine_connection(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture
def version(db: None) -> WorkflowVersion:
    return publishing.publish(workspaces.default(), DOCUMENT, by=None)


@pytest.fixture
def schedule(version: WorkflowVersion) -> Callable[..., Schedule]:
    """A factory; ``since`` is the last slot that was dealt with."""

    def make(since: datetime | None = None, **facts: Any) -> Schedule:
        workflow = facts.pop("workflow", version.workflow)
        values: dict[str, Any] = {"name": "daily", "params": {"day": "mon"}, **facts}
        row = Schedule(workspace=workflow.workspace, workflow=workflow, **values)
        schedules.save(row)
        if since is not None:
            row.cursor, row.next_at = since, row.timing.after(since)
            Schedule.objects.filter(pk=row.pk).update(cursor=row.cursor, next_at=row.next_at)
        return row

    return make
