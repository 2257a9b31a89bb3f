"""A person makes a schedule, sees its next times while typing, runs it, and fills in its past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from celesta.access import workspaces
from celesta.triggers.models import Schedule
from celesta.workflows import publishing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DOCUMENT = """\
workflow: reports.daily
params: {type: object, required: [day], properties: {day: {type: string}}}
nodes: {write: {type: transform, with: {output: "{{ params.day }}"}}}
"""


def test_from_a_form_that_shows_the_next_times_to_a_backfill(
    sign_in: Callable[..., Page],
    worker_process: Callable[..., Any],
) -> None:
    publishing.publish(workspaces.default(), DOCUMENT, by=None)
    worker_process(queues="default", concurrency=1)
    page = sign_in("/admin/celesta_triggers/schedule/add/", timezone_id="Asia/Tokyo")
    coming = page.locator(".celesta-coming")
    expect(coming).to_contain_text("Fill in a timing.")

    # What is to come follows every key, and so does what is wrong
    page.locator("#id_cron").press_sequentially("30 2 * * 8")
    expect(coming).to_contain_text("no weekday")
    page.locator("#id_cron").fill("30 2 * * mon")
    expect(coming.locator("li")).to_have_count(10)
    page.locator("#id_timezone").fill("Europe/Berlin")
    expect(coming).to_contain_text("02:30:00 CE")

    page.locator("#id_name").fill("weekly report")
    page.locator("#id_workflow").select_option(label="reports.daily")
    page.locator("#id_params").fill('{"day": "{{ slot.date }}"}')
    page.locator("#id_overlap").select_option("queue")
    page.locator("[name=_save]").click()
    page.get_by_role("link", name="open", exact=True).click()
    expect(page.get_by_role("heading", name="weekly report")).to_be_visible()
    expect(page.locator("ol.coming li")).to_have_count(10)
    # The exact instant on the viewer's own clock, on hovering
    shown = page.locator("ol.coming time").first
    assert "on your clock" in (shown.get_attribute("title") or "")
    assert "GMT+9" in (shown.get_attribute("title") or "")

    page.get_by_role("button", name="Run now").click()
    page.wait_for_url("**/runs/*/")
    page.go_back()
    page.get_by_role("link", name="Backfill").click()
    page.locator("#id_begin").fill("2026-01-01T00:00")
    page.locator("#id_until").fill("2026-03-31T00:00")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="13 slots")).to_be_visible()
    page.get_by_role("button", name="Start 13").click()
    page.wait_for_url("**/backfills/*/")
    # It goes on while one looks
    expect(page.locator("#live")).to_contain_text("13 of 13")
    expect(page.locator("#live tbody tr")).to_have_count(13)
    assert Schedule.objects.get().slots.filter(origin="backfill").count() == 13
