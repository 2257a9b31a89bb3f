"""What an operator does to a run in the console: pause, resume, skip, rerun."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from celesta.runs import queries
from celesta.runs.models import Event, NodeRun, Run

pytestmark = pytest.mark.django_db(transaction=True)


def foreseen_in(page: str) -> list[list[str]]:
    """The names in the preview: what runs again, what is kept."""
    groups = re.findall(r'<dd class="(?:again|kept)">(.*?)</dd>', page, re.DOTALL)
    return [sorted(re.findall("<code>(.*?)</code>", group)) for group in groups]


def at(name: str, run: Run, *more: object) -> str:
    return reverse(f"celesta_console:{name}", args=[run.pk, *more])


def test_pausing_asks_first_and_resuming_does_not(
    client_of: Callable[[str], Client], run: Run
) -> None:
    operator = client_of("operator")
    # Given the page of a run, which offers to pause it
    assert at("run-pause", run) in operator.get(at("run", run)).content.decode()
    # When that is confirmed with a reason
    assert "Pause this run?" in operator.get(at("run-pause", run)).content.decode()
    answer = operator.post(at("run-pause", run), {"reason": "look first"}, follow=True)
    # Then it is paused, the history says why, and the page offers to resume it
    shown = answer.content.decode()
    assert "The run is paused." in shown
    assert "look first" in shown
    assert at("run-resume", run) in shown
    assert at("run-pause", run) not in shown
    shown = operator.post(at("run-resume", run), follow=True).content.decode()
    assert "The run goes on: it is pending." in shown
    kinds = list(Event.objects.filter(run_id=run.pk).values_list("kind", flat=True))
    assert kinds[-2:] == ["run_paused", "run_resumed"]


def test_a_viewer_is_offered_nothing(client_of: Callable[[str], Client], run: Run) -> None:
    viewer = client_of("viewer")
    shown = viewer.get(at("run", run)).content.decode()
    assert at("run-pause", run) not in shown
    assert viewer.post(at("run-pause", run)).status_code == 403
    assert viewer.post(at("run-resume", run)).status_code == 403


def test_a_node_is_skipped_after_a_question(client_of: Callable[[str], Client], run: Run) -> None:
    operator = client_of("operator")
    assert at("node-skip", run, 0, 0) in operator.get(at("node", run, 0, 0)).content.decode()
    assert "Skip this node?" in operator.get(at("node-skip", run, 0, 0)).content.decode()
    shown = operator.post(at("node-skip", run, 0, 0), {"reason": "not today"}, follow=True)
    assert "fetch is skipped." in shown.content.decode()
    # Then it is offered no more, and asking again is refused with the reason.
    assert at("node-skip", run, 0, 0) not in operator.get(at("node", run, 0, 0)).content.decode()
    again = operator.post(at("node-skip", run, 0, 0))
    assert again.status_code == 409
    assert b"run_already_finished" in again.content or b"node_not_skippable" in again.content


def test_running_again_from_a_chosen_node(client_of: Callable[[str], Client], run: Run) -> None:
    operator = client_of("operator")
    now = timezone.now()
    NodeRun.objects.filter(run_id=run.pk).update(state="succeeded", finished_at=now)
    Run.objects.filter(pk=run.pk).update(state="failed", finished_at=now)
    # Given the panel of a node of a run that has ended, which offers to begin there
    here = at("run-rerun", run) + "?node=pay"
    pay = queries.plan_of(run.version_id).by_name()["pay"].index
    assert here in operator.get(at("node", run, 0, pay)).content.decode()
    form = operator.get(here).content.decode()
    assert '<option value="pay" selected>' in form
    assert '<option value="1" selected>1 (of this run)</option>' in form
    # which says what would run, anew for each choice, and without scripts when asked
    assert foreseen_in(form) == [["pay", "ship"], ["fetch", "lines"]]
    asked = "?mode=nodes&nodes=lines&version=1"
    part = operator.get(at("run-rerun", run) + asked, headers={"X-Celesta-Fragment": "1"})
    assert foreseen_in(part.content.decode()) == [["lines", "ship"], ["fetch", "pay"]]
    wrong_part = operator.get(
        at("run-rerun", run) + "?mode=nodes&version=1", headers={"X-Celesta-Fragment": "1"}
    )
    assert b"Choose at least one node to begin at." in wrong_part.content
    unscripted = {"mode": "all", "version": "1", "params": "{}", "preview": "1"}
    part = operator.post(at("run-rerun", run), unscripted)
    assert (part.status_code, Run.objects.count()) == (200, 1)
    assert foreseen_in(part.content.decode()) == [["fetch", "lines", "pay", "ship"]]
    # When what was entered is wrong, the form comes back with what to do,
    sent = {"mode": "nodes", "version": "1", "params": '{"order_id": 0}'}
    wrong = operator.post(at("run-rerun", run), sent)
    assert wrong.status_code == 400
    assert b"Choose at least one node to begin at." in wrong.content
    wrong = operator.post(at("run-rerun", run), {**sent, "nodes": ["pay"]})
    assert b"params.order_id" in wrong.content
    # and when it is right, there is a run.
    good = {**sent, "nodes": ["pay"], "params": '{"order_id": 3}'}
    shown = operator.post(at("run-rerun", run), good, follow=True).content.decode()
    assert "Run again: pay." in shown
    made = Run.objects.get(rerun_of=run.pk)
    assert (made.params["order_id"], made.trigger) == (3, "console")
    assert at("run", run) in shown  # it says of which run it is a rerun
    states = dict(NodeRun.objects.filter(run_id=made.pk).values_list("node", "state"))
    assert states.pop(pay) == "ready"
    assert sorted(states.values()) == ["pending", "pending", "succeeded", "succeeded"]


def test_the_panel_leads_to_the_node_in_the_editor(
    client_of: Callable[[str], Client], run: Run
) -> None:
    plan = queries.plan_of(run.version_id)
    there = reverse("celesta_console:design", args=[run.workflow_id])
    shown = client_of("author").get(at("node", run, 0, plan.by_name()["pay"].index))
    assert f'data-scripted="{there}?node=pay"' in shown.content.decode()
    # Then an author is led there, who may not write is not, and neither is anybody from the end.
    end = client_of("author").get(at("node", run, 0, len(plan.nodes) - 1)).content.decode()
    assert there not in end
    for who in ("viewer", "operator"):
        assert there not in client_of(who).get(at("node", run, 0, 0)).content.decode()
