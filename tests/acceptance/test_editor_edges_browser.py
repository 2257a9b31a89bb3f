"""At the edges of the visual editor: keys, narrow screens, the first save, many variables."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import yaml
from playwright.sync_api import Page, expect

from celesta.access import workspaces
from celesta.vault.models import Variable
from celesta.workflows import drafts, publishing
from celesta.workflows.models import Workflow
from tests.acceptance.hands import Hands
from tests.acceptance.test_editor_browser import connect, node, open_design, save, settled

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


def test_moves_are_undone_as_edits_are(sign_in: Callable[..., Page], workflow: Workflow) -> None:
    page = sign_in("/runs/", viewport={"width": 1440, "height": 1000})
    open_design(page, workflow)
    hands = Hands(page)
    ship = node(page, "ship")
    hands.click(ship)
    settled(page, ship)
    stood = page.evaluate(OFFSET, "ship")
    for _ in range(6):
        hands.press("Shift+ArrowRight")
    at_last = page.evaluate(OFFSET, "ship")
    assert at_last > stood
    # A title is written, then the node is dragged: three kinds of change, and back one by one.
    hands.write(page.get_by_label("Title", exact=True), "Ship it")
    expect(ship).to_contain_text("Ship it")
    box = ship.bounding_box()
    assert box
    hands.drag(ship, (box["x"] + box["width"] / 2, box["y"] + 200))
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    dragged = page.evaluate(OFFSET_DOWN, "ship")

    hands.press("Control+z")
    page.wait_for_function(f"({OFFSET_DOWN})('ship') < {dragged}")
    expect(ship).to_contain_text("Ship it")
    hands.press("Control+z")
    expect(ship).not_to_contain_text("Ship it")
    assert page.evaluate(OFFSET, "ship") == at_last
    while page.get_by_role("button", name="Undo").is_enabled():
        hands.press("Control+z")
    page.wait_for_function(f"({OFFSET})('ship') === {stood}")
    hands.press("Control+Shift+z")
    page.wait_for_function(f"({OFFSET})('ship') > {stood}")
    # What is undone is undone for the next visit, too.
    hands.press("Control+z")
    page.wait_for_function(f"({OFFSET})('ship') === {stood}")
    open_design(page, workflow)
    assert page.evaluate(OFFSET, "ship") == stood


CASES = """\
workflow: shop.cases
nodes:
  route:
    type: branch
    with:
      cases: {delivery_abroad: "{{ false }}", large: "{{ true }}", medium: "{{ true }}"}
      default: everything_else
  a: {type: transform, needs: [route.large], with: {output: 1}}
  b: {type: transform, needs: [route.delivery_abroad], with: {output: 1}}
  c: {type: transform, needs: [route], with: {output: 1}}
  d: {type: transform, with: {output: 1}}
"""
#: From the beginning of each edge to the middle of the handle that it names, in pixels.
APART = """() => Object.fromEntries(
  [...document.querySelectorAll('.svelte-flow__edge')].map((edge) => {
  const [, from, to] = edge.dataset.id.split(' ');
  const [name, one] = from.split('.');
  const path = edge.querySelector('path.svelte-flow__edge-path');
  const {x, y} = path.getPointAtLength(0);
  const at = new DOMPoint(x, y).matrixTransform(path.getScreenCTM());
  const handles = `.svelte-flow__node[data-id="${name}"] .svelte-flow__handle.source`;
  const handle = [...document.querySelectorAll(handles)]
    .find((each) => (each.dataset.handleid ?? '') === (one ?? ''));
  const box = handle.getBoundingClientRect();
  return [`${from} ${to}`, Math.hypot(at.x - box.x - box.width / 2, at.y - box.y - box.height / 2)];
}))"""


def test_each_case_of_a_branch_is_a_handle_of_its_own(
    sign_in: Callable[..., Page], transactional_db: None
) -> None:
    cases = drafts.create(workspaces.default(), CASES, by=None)
    page = sign_in("/runs/", viewport={"width": 1600, "height": 1000})
    open_design(page, cases)
    route = node(page, "route")
    settled(page, route)

    # Each case is read whole, over a handle of its own; so is what is taken whatever the case.
    names = ["delivery_abroad", "large", "medium", "everything_else", "any case"]
    assert route.locator("li").all_inner_texts() == names
    assert route.locator("li").evaluate_all(
        "(all) => all.every((one) => one.scrollWidth <= one.clientWidth)"
    )
    centres = [
        [(box["x"] + box["width"] / 2) for box in boxes if box]
        for boxes in (
            [item.bounding_box() for item in route.locator("li").all()],
            sorted(
                (item.bounding_box() for item in route.locator(".source").all()),
                key=lambda box: box["x"] if box else 0,
            ),
        )
    ]
    assert all(abs(one - other) < 3 for one, other in zip(*centres, strict=True))

    # An edge begins at the handle of its case, and carries its name.
    apart = page.evaluate(APART)
    assert apart.keys() == {"route.large a", "route.delivery_abroad b", "route c"}
    assert max(apart.values()) < 12, apart
    assert sorted(page.locator(".svelte-flow__edge-label").all_inner_texts()) == [
        "delivery_abroad",
        "large",
    ]

    # A new one is dragged from a case.
    handle = route.locator('.source[data-handleid="everything_else"]')
    connect(page, handle, node(page, "d"))
    expect(page.locator(".svelte-flow__edge")).to_have_count(4)
    save(page)
    written = yaml.safe_load(drafts.opened(cases).text)["nodes"]
    assert written["d"]["needs"] == ["route.everything_else"]


#: Where a node stands in the graph, however it is scaled.
OFFSET = """(name) => new DOMMatrix(getComputedStyle(
  document.querySelector(`.svelte-flow__node[data-id="${name}"]`)).transform).m41"""
OFFSET_DOWN = OFFSET.replace("m41", "m42")


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
