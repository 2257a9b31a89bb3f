"""Numbers that PostgreSQL writes with more digits than they were given with."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from celesta.access.models import Workspace
from celesta.access.principals import SYSTEM
from celesta.engine.rerun import Mode, rerun_run
from celesta.engine.start import start_run
from celesta.runs.models import Output, Run
from celesta.vault import variables
from celesta.vault.models import Variable
from celesta.workflows import publishing

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENT = """\
workflow: stars.count
params: {type: object, properties: {stars: {type: number, default: 1.5e24}}}
nodes: {count: {type: transform, with: {output: "{{ params.stars }}"}}}
"""


@pytest.fixture
def stars(workspace: Workspace) -> Run:
    """A run with a large param, whose node ended with one."""
    version = publishing.publish(workspace, DOCUMENT, by=None)
    run = start_run(version, {"stars": 1e30}, principal=SYSTEM).run
    Output.objects.create(run_id=run.pk, scope=0, node=0, value={"stars": 1e30})
    return Run.objects.get(pk=run.pk)


def test_large_numbers_are_shown_as_they_were_given(
    client_of: Callable[[str], Client], stars: Run, workspace: Workspace
) -> None:
    viewer = client_of("viewer")
    assert "1e+30" in viewer.get(reverse("celesta_console:run", args=[stars.pk])).content.decode()
    node = reverse("celesta_console:node", args=[stars.pk, 0, 0])
    assert "1e+30" in viewer.get(node).content.decode()
    variables.create(workspace, "avogadro", 6.02214076e23)
    assert Variable.objects.get(name="avogadro").value == pytest.approx(6.02214076e23)
    listed = viewer.get(reverse("admin:celesta_vault_variable_changelist")).content.decode()
    assert "6.02214076e+23" in listed
    told = StringIO()
    call_command("run", "show", str(stars.pk), "--json", stdout=told)
    assert "1e30" in told.getvalue() or "1e+30" in told.getvalue()


def test_a_run_with_large_numbers_runs_again(stars: Run) -> None:
    Run.objects.filter(pk=stars.pk).update(state="failed", finished_at=timezone.now())
    again = rerun_run(Run.objects.get(pk=stars.pk), principal=SYSTEM, mode=Mode.ALL).run
    assert Run.objects.get(pk=again.pk).params == {"stars": 1e30}


def test_the_form_of_a_variable_refuses_what_would_be_rounded(
    client_of: Callable[[str], Client], workspace: Workspace
) -> None:
    form = {"workspace": workspace.pk, "name": "wei", "value": str(10**20), "description": ""}
    shown = client_of("author").post(reverse("admin:celesta_vault_variable_add"), form)
    assert "at most 64 bits" in shown.content.decode()
    assert not Variable.objects.filter(name="wei").exists()
