"""What a start returns is what it wrote."""

from __future__ import annotations

import pytest
from django.forms.models import model_to_dict

from celesta.access import workspaces
from celesta.access.principals import SYSTEM
from celesta.engine.start import start_run
from celesta.runs.models import Run
from celesta.workflows.publishing import publish

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENT = {
    "workflow": "start.returns",
    "params": {"type": "object", "properties": {"n": {"type": "integer", "default": 3}}},
    "nodes": {"only": {"type": "transform", "with": {"output": 1}}},
}


def test_the_run_returned_is_the_row_written() -> None:
    version = publish(workspaces.default(), DOCUMENT, by=None)
    begun = start_run(
        version, {}, principal=SYSTEM, idempotency_key="k", trigger="schedule", trigger_ref="s/1"
    )
    written = Run.objects.get(pk=begun.run.pk)
    assert begun.created
    for field in Run._meta.concrete_fields:
        assert getattr(begun.run, field.attname) == getattr(written, field.attname), field.name
    assert begun.run.params == {"n": 3}
    assert not begun.run._state.adding
    # and a replay returns the same row.
    again = start_run(version, {}, principal=SYSTEM, idempotency_key="k")
    assert (again.created, model_to_dict(again.run)) == (False, model_to_dict(written))
