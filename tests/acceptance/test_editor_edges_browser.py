"""At the edges of the visual editor: keys, narrow screens, the first save, many variables."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from celesta.access import workspaces
from celesta.vault.models import Variable
from celesta.workflows import publishing
from celesta.workflows.models import Workflow
from tests.acceptance.hands import Hands
from tests.acceptance.test_editor_browser import node, open_design, settled

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TWO = """\
workflow: shop.two
title: Two
nodes:
  fetch: {type: transform, with: {output: 1}}
  ship: {type: transform, needs: [fetch], with: {output: ""}}
"""


@pytest.fixture
def workflow(transactional_db: None) -> Workflow:
    return publishing.publish(workspaces.default(), TWO, by=None).workflow


def test_what_arrow_keys_moved_stays_there(
    sign_in: Callable[..., Page], workflow: Workflow
) -> None:
    page = sign_in("/runs/", viewport={"width": 1440, "height": 1000})
    open_design(page, workflow)
    hands = Hands(page)
    ship = node(page, "ship")
    hands.click(ship)
    settled(page, ship)
    before = ship.bounding_box()
    for _ in range(10):
        hands.press("Shift+ArrowRight")
    settled(page, ship)
    moved = ship.bounding_box()
    assert before
    assert moved
    assert moved["x"] > before["x"] + 50
    # An edit draws the graph anew; so does coming back.
    hands.write(page.get_by_label("Output"), "2")
    expect(page.locator(".verdict-of-editor")).to_have_text("valid")
    assert ship.bounding_box() == moved
    hands.press("Control+s")
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    open_design(page, workflow)
    at = [page.evaluate(OFFSET, name) for name in ("fetch", "ship")]
    assert at[1] - at[0] > 50


#: Where a node stands in the graph, however it is scaled.
OFFSET = """(name) => new DOMMatrix(getComputedStyle(
  document.querySelector(`.svelte-flow__node[data-id="${name}"]`)).transform).m41"""


def test_a_tap_on_a_narrow_screen_opens_the_form(
    sign_in: Callable[..., Page], workflow: Workflow
) -> None:
    page = sign_in("/runs/", viewport={"width": 390, "height": 844}, has_touch=True)
    open_design(page, workflow)
    form = page.get_by_role("form", name="Node ship")
    expect(form).to_have_count(0)
    box = node(page, "ship").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(form).to_be_in_viewport()
    expect(form.get_by_label("Output")).to_be_visible()


def test_saving_and_publishing_name_the_page(sign_in: Callable[..., Page]) -> None:
    page = sign_in("/workflows/design/", viewport={"width": 1440, "height": 1000})
    expect(page.get_by_role("heading", name="New workflow")).to_be_visible()
    hands = Hands(page)
    hands.write(page.get_by_role("combobox", name="Name", exact=True), "shop.night")
    hands.write(page.get_by_label("Title", exact=True), "Night shift")
    hands.click(page.get_by_role("button", name="Save draft"))
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    expect(page.get_by_role("heading", name="shop.night")).to_be_visible()
    expect(page.get_by_role("link", name="Versions", exact=True)).to_be_visible()
    expect(page).to_have_title(re.compile("^Edit shop.night"))
    # Published, it has its title and can be started.
    hands.click(page.get_by_role("button", name="Publish…"))
    hands.write(page.get_by_label("What changed"), "At last", "Enter")
    expect(page.get_by_text("Published as version 1.")).to_be_visible()
    expect(page.get_by_role("heading", name="Night shift")).to_be_visible()
    hands.click(page.get_by_role("link", name="Start", exact=True))
    page.wait_for_url("**/start/")


def test_every_variable_is_offered(sign_in: Callable[..., Page], workflow: Workflow) -> None:
    workspace = workspaces.default()
    Variable.objects.bulk_create(
        Variable(workspace=workspace, name=f"v{number:03}", value=1) for number in range(250)
    )
    page = sign_in("/runs/", viewport={"width": 1440, "height": 1000})
    open_design(page, workflow)
    hands = Hands(page)
    hands.click(node(page, "ship"))
    hands.write(page.get_by_label("Output"), "{{ vars.v24")
    expect(page.get_by_role("listbox").get_by_role("option", name="v249")).to_be_visible()
