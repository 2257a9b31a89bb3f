"""A person at a browser begins with a template, and carries workflows to another workspace."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from celesta.access.models import Workspace
from celesta.workflows.models import Workflow
from tests.processes import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_template_is_found_used_published_and_run_without_javascript(
    sign_in: Callable[..., Page], worker_process: Callable[..., Any], live_server: LiveServer
) -> None:
    worker_process(queues="default", concurrency=1)
    signed_in = sign_in("/workflows/").context
    browser = signed_in.browser
    assert browser
    # The theme's own sign-in needs scripts; our pages do not.
    page = browser.new_context(
        base_url=live_server.url,
        java_script_enabled=False,
        storage_state=signed_in.storage_state(),
    ).new_page()
    page.goto("/workflows/")
    page.get_by_role("link", name="Choose a template").click()
    page.get_by_placeholder("refund, wait, map").fill("tolerance invoices")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".cards .card")).to_have_count(1)
    page.get_by_role("link", name="Reconcile payments").click()
    expect(page.get_by_role("heading", name="Reconcile payments")).to_be_visible()

    page.get_by_label("Name of the workflow").fill("Not a name")
    page.get_by_role("button", name="Make the workflow").click()
    expect(page.locator(".error")).to_contain_text("small letters")
    page.get_by_label("Name of the workflow").fill("books.reconcile")
    page.get_by_role("button", name="Make the workflow").click()
    assert "workflow: books.reconcile\n" in page.locator("#source").input_value()

    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published as version 1.")).to_be_visible()
    page.get_by_role("link", name="Start", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/runs/*-*/")

    def finished() -> bool:
        page.reload()  # without scripts nothing moves by itself
        return page.locator(".badge.s-succeeded").count() > 0

    wait_for(finished, 60, page.content)


def choose_file(page: Page, file: Path) -> None:
    """Put a file into the form. Playwright's own way ends a Chromium of another make than its."""
    page.get_by_label("Archive (.zip)").evaluate(
        """(field, [name, content]) => {
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            const chosen = new DataTransfer();
            chosen.items.add(new File([bytes], name, {type: "application/zip"}));
            field.files = chosen.files;
        }""",
        [file.name, b64encode(file.read_bytes()).decode()],
    )


def test_an_archive_goes_out_of_one_workspace_and_into_another(
    sign_in: Callable[..., Page], tmp_path: Path
) -> None:
    elsewhere = Workspace.objects.create(slug="elsewhere", name="Elsewhere")
    page = sign_in("/templates/payment-reconciliation/")
    page.get_by_label("Name of the workflow").fill("books.reconcile")
    page.get_by_role("button", name="Make the workflow").click()
    page.wait_for_url("**/edit/")
    made = Workflow.objects.get(name="books.reconcile")

    page.goto(f"/workflows/transfer/?workspace={made.workspace.slug}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    saved = tmp_path / "workflows.zip"
    download.value.save_as(saved)

    page.goto("/workflows/transfer/?workspace=elsewhere")
    choose_file(page, saved)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", name="What would be imported")).to_be_visible()
    expect(page.get_by_role("row", name="books.reconcile")).to_contain_text("new")
    assert not Workflow.objects.filter(workspace=elsewhere).exists()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_text("1 of 1 workflows were imported.")).to_be_visible()
    assert Workflow.objects.get(workspace=elsewhere).draft == made.draft
