"""An operator at a browser: holds a run, skips what waits, finds what failed, and repairs it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from celesta.access import workspaces
from celesta.access.principals import SYSTEM
from celesta.engine.cancellation import cancel_run
from celesta.engine.pausing import pause_run, resume_run
from celesta.engine.start import start_run
from celesta.workflows import publishing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DOCUMENT = """\
workflow: shop.repair
title: Repair an order
params: {type: object, properties: {parts: {type: integer, default: 0}}}
nodes:
  fetch: {type: transform, with: {output: 10}}
  hold: {type: wait, with: {for: 1h}}
  split: {type: transform, needs: [fetch], with: {output: "{{ 10 / params.parts }}"}}
  ship: {type: transform, needs: [split], with: {output: "{{ nodes.split.output }}"}}
"""


def test_from_a_failure_to_its_repair(
    sign_in: Callable[..., Page],
    worker_process: Callable[..., Any],
) -> None:
    worker_process(queues="default", concurrency=1)
    version = publishing.publish(workspaces.default(), DOCUMENT, by=None)
    run = start_run(version, {}, principal=SYSTEM).run
    page = sign_in(f"/runs/{run.pk}/", viewport={"width": 1280, "height": 900})
    badge = page.locator(".facts .badge").first
    expect(page.locator("svg .node.s-failed")).to_have_count(1)

    # A run is held after a question, and goes on.
    page.get_by_role("link", name="Pause").click()
    page.get_by_label("Reason").fill("Look first")
    page.get_by_role("button", name="Pause the run").click()
    expect(badge).to_have_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(badge).to_have_text("running")

    # What waits for an hour is skipped; then the failure of another node ends the run.
    page.locator("tbody").get_by_role("link", name="hold", exact=True).click()
    panel = page.get_by_role("dialog")
    panel.get_by_role("link", name="Skip").click()
    page.get_by_role("button", name="Skip the node").click()
    expect(badge).to_have_text("failed")

    # It is among the dead letters. A retry fails as the first time did.
    page.goto("/dead-letters/")
    row = page.locator("tbody tr", has_text="split")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Retry chosen").click()
    expect(page.get_by_role("heading", name="Retry 1 dead letter?")).to_be_visible()
    page.get_by_role("button", name="Retry 1").click()
    expect(page.get_by_text("1 dead letter retried, 0 refused.")).to_be_visible()

    # With another param, from what failed, it succeeds, and what was skipped stays so.
    page.goto(f"/runs/{run.pk}/")
    page.get_by_role("link", name="Rerun").click()
    expect(page.get_by_label("What failed, and all that comes after it")).to_be_checked()
    page.get_by_label("Params").fill('{"parts": 5}')
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("Run again: what failed.")).to_be_visible()
    expect(badge).to_have_text("succeeded")
    expect(page.locator("svg .node.s-skipped")).to_have_count(1)

    # Of the list of runs, all that fail can be run again at once.
    page.goto("/runs/?state=failed")
    page.get_by_text("All of these runs").click()
    page.get_by_role("link", name="Rerun what failed in").click()
    expect(
        page.get_by_role("heading", name=re.compile("Rerun what failed in 2 runs"))
    ).to_be_visible()


def test_the_buttons_of_a_run_follow_its_state(sign_in: Callable[..., Page]) -> None:
    version = publishing.publish(workspaces.default(), DOCUMENT, by=None)
    run = start_run(version, {}, principal=SYSTEM).run
    page = sign_in(f"/runs/{run.pk}/")
    actions = page.locator("[data-part=actions]")
    expect(actions.get_by_role("link", name="Pause")).to_be_visible()
    # Somebody else pauses it, lets it go on, and cancels it: nothing is reloaded here.
    pause_run(run.pk, by="somebody", reason="")
    expect(actions.get_by_role("button", name="Resume")).to_be_visible()
    expect(actions.get_by_role("link", name="Pause")).to_have_count(0)
    resume_run(run.pk, by="somebody")
    expect(actions.get_by_role("link", name="Pause")).to_be_visible()
    expect(actions.get_by_role("button", name="Resume")).to_have_count(0)
    # A button that came later works as if it had been there from the beginning.
    pause_run(run.pk, by="somebody", reason="")
    actions.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("The run goes on")).to_be_visible()
    cancel_run(run.pk, by="somebody", reason="")
    expect(actions.get_by_role("link", name="Cancel")).to_have_count(0)
    expect(actions.get_by_role("link", name="Rerun…")).to_be_visible()
