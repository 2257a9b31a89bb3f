"""What goes wrong around the visual editor: every failure says what to do, and loses nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from celesta.access import workspaces
from celesta.workflows import drafts, publishing
from celesta.workflows.models import Workflow
from tests.acceptance.hands import Hands
from tests.acceptance.test_editor_browser import node, open_design, save, verdict
from tests.acceptance.test_editor_edges_browser import TWO

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def workflow(transactional_db: None) -> Workflow:
    return publishing.publish(workspaces.default(), TWO, by=None).workflow


def test_signed_out_at_save_one_signs_in_elsewhere_and_goes_on(
    sign_in: Callable[..., Page], workflow: Workflow
) -> None:
    page = sign_in("/runs/", viewport={"width": 1280, "height": 900})
    open_design(page, workflow)
    page.get_by_label("Title", exact=True).fill("Written while signed in")
    # The session ends; the page stands as it was.
    page.context.clear_cookies(name="sessionid")
    hands = Hands(page)
    hands.click(page.get_by_role("button", name="Save draft"))
    expect(page.locator(".bar-of-shell .kept")).to_contain_text("Sign in again in another tab")
    expect(page.get_by_label("Title", exact=True)).to_have_value("Written while signed in")

    # Signing in gives the browser another token against forgery than this page has.
    other = page.context.new_page()
    other.goto("/admin/login/?next=/runs/")
    other.fill("input[name=username]", "ann")
    other.fill("input[name=password]", "secret")
    other.click("[type=submit]")
    other.wait_for_url("**/runs/")
    save(page)
    assert "Written while signed in" in drafts.opened(workflow).text


def test_without_a_server_text_and_note_stay(
    sign_in: Callable[..., Page], workflow: Workflow
) -> None:
    page = sign_in("/runs/", viewport={"width": 1280, "height": 900})
    open_design(page, workflow)
    hands = Hands(page)
    page.context.set_offline(True)
    page.get_by_label("Title", exact=True).fill("Written without a server")
    # What was not checked is not said to be valid.
    verdict(page, "not checked")
    hands.press("Control+s")
    expect(page.locator(".bar-of-shell .kept")).to_contain_text(
        "The server cannot be reached. Nothing is lost; try again."
    )
    hands.click(page.get_by_role("button", name="Publish…"))
    dialog = page.get_by_role("dialog")
    hands.write(dialog.get_by_label("What changed"), "A note that took thought", "Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("The server cannot be reached")
    expect(dialog.get_by_label("What changed")).to_have_value("A note that took thought")

    page.context.set_offline(False)
    verdict(page, "valid")
    hands.click(dialog.get_by_role("button", name="Publish", exact=True))
    expect(page.get_by_text("Published as version 2.")).to_be_visible()
    version = workflow.versions.get(number=2)
    assert version.note == "A note that took thought"
    assert "Written without a server" in version.source


def test_a_server_that_fails_is_told_with_what_to_do(
    sign_in: Callable[..., Page], workflow: Workflow
) -> None:
    page = sign_in("/runs/", viewport={"width": 1280, "height": 900})

    def fails(route: Route) -> None:
        route.fulfill(status=500, content_type="text/html", body="<h1>Server error</h1>")

    page.route("**/node-types/", fails)
    open_design(page, workflow)
    types = page.get_by_role("region", name="Node types")
    expect(types).to_contain_text("The server answered 500.")
    page.unroute("**/node-types/")
    Hands(page).click(types.get_by_role("button", name="Try again"))
    expect(types.get_by_role("button", name="Transform")).to_be_visible()

    page.get_by_label("Title", exact=True).fill("Never lost")
    page.route("**/draft/", fails)
    page.keyboard.press("Control+s")
    expect(page.locator(".bar-of-shell .kept")).to_contain_text("Nothing here is lost: try again")
    page.unroute("**/draft/")
    save(page)
    assert "Never lost" in drafts.opened(workflow).text


def test_what_is_no_value_yet_is_kept_and_named(
    sign_in: Callable[..., Page], workflow: Workflow
) -> None:
    page = sign_in("/runs/", viewport={"width": 1280, "height": 900})
    open_design(page, workflow)
    hands = Hands(page)
    hands.click(node(page, "ship"))
    output = page.get_by_label("Output")
    hands.write(output, "{a: [1, 2")
    expect(page.get_by_text("Not valid YAML yet")).to_be_visible()

    # Looking at another node does not lose it, and saving says that it is not in the draft.
    hands.click(node(page, "fetch"))
    expect(output).to_have_value("1")
    hands.press("Control+s")
    expect(page.locator(".bar-of-shell .kept")).to_contain_text(
        re.compile("Saved as a draft, without what is no valid YAML yet in Output")
    )
    hands.click(page.get_by_role("button", name="Publish…"))
    dialog = page.get_by_role("dialog")
    hands.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("Not published: mend")
    hands.click(dialog.get_by_role("button", name="Not yet"))

    hands.click(node(page, "ship"))
    expect(output).to_have_value("{a: [1, 2")
    output.press("End")
    hands.type("]}")
    save(page)
    assert "a: [1, 2]" in drafts.opened(workflow).text
    assert workflow.versions.count() == 1


def test_a_text_that_cannot_be_read_while_a_node_is_dragged(
    sign_in: Callable[..., Page], workflow: Workflow
) -> None:
    page = sign_in("/runs/", viewport={"width": 1440, "height": 1000})
    open_design(page, workflow)
    page.get_by_role("tab", name="YAML").click()
    page.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("oops: [\n")
    verdict(page, "cannot be read")
    hands = Hands(page)
    ship = node(page, "ship")
    box = ship.bounding_box()
    assert box
    hands.drag(ship, (box["x"] + 150, box["y"] + 90))
    # The graph has moved; the text is still what was typed, and deleting is refused with a reason.
    hands.press("Delete")
    expect(page.locator(".bar-of-shell .kept")).to_contain_text("Mend the text first")
    expect(ship).to_be_visible()
    page.get_by_role("tab", name="YAML").click()
    expect(page.locator(".cm-content")).to_contain_text("oops: [")
    save(page)
    assert drafts.opened(workflow).text.endswith("oops: [\n")
