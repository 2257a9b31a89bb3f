"""Plans in memory are told apart when a restored database gives a primary key again."""

from __future__ import annotations

import pytest
from django.db import connection

from celesta.engine import plans
from celesta.runs import transitions, upkeep
from celesta.runs.models import Run, Timer
from celesta.workflows.models import WorkflowVersion
from celesta_worker.lane import prepared_plan
from tests.integration.engine.plans import plan_of, publish_plan
from tests.integration.engine.simulation import LEASE, begin, register

pytestmark = pytest.mark.django_db(transaction=True)


def restored(lost: WorkflowVersion) -> None:
    """As after the restore of a backup from before this version: it and its number are free."""
    Run.objects.filter(version=lost).delete()
    lost.workflow.delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval(pg_get_serial_sequence('celesta_workflow_version', 'id'), %s, false)",
            [lost.pk],
        )


def test_a_primary_key_given_again_brings_the_plan_of_the_new_version() -> None:
    # Given a process that knows a version which a restore has lost,
    old = publish_plan(plan_of({"a": [], "b": ["a"]}))
    number = old.pk
    run, _ = begin(old)
    loaded = plans.of_run(str(run))
    assert loaded is plans.of_version(old)
    prepared = prepared_plan(loaded)
    restored(old)
    # when another version gets its primary key, and a run of it is worked on,
    new = publish_plan(plan_of({"x": [], "y": ["x"], "z": ["y"]}))
    assert new.pk == number
    run, _ = begin(new, deadline=0.0)
    Timer.objects.filter(run_id=run).update(kind="retry", scope=0, node=1, attempt=0)
    claim = transitions.claim(
        register(), 1, str(run), scope=0, node=0, hint=None, via="task", take=1, lease=LEASE
    )
    (due,) = [item for item in upkeep.due_timers(1000, []) if item.run == run]
    # then whoever works on it has the new plan: the slot, the leader, and the API,
    assert claim.version is not None
    found = plans.load(claim.version)
    assert [node.name for node in found.plan.nodes[:3]] == ["x", "y", "z"]
    assert plans.load(due.version) is plans.of_run(str(run)) is plans.of_version(new) is found
    # and what a slot has prepared is of that plan, too.
    assert prepared_plan(found) is not prepared
    assert prepared_plan(found)[0].node.name == "x"


def test_a_plan_is_read_once() -> None:
    version = publish_plan(plan_of({"a": []}))
    run, _ = begin(version)
    key = plans.version_of(str(run))
    assert key is not None
    assert plans.load(key) is plans.load(key) is plans.of_version(version)
    # and the version as somebody else reads it is the same one.
    assert plans.of_version(WorkflowVersion.objects.get(pk=version.pk)) is plans.load(key)
