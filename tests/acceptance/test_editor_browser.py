"""A person at the visual editor: by mouse and keyboard only, from an empty canvas to a run.

A real Chromium and a real worker. The document is looked at in the database: the canvas is its
projection, never the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from celesta.access import workspaces
from celesta.runs.models import Run
from celesta.workflows import drafts, publishing
from celesta.workflows.models import Workflow
from tests.processes import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIX = """\
# The shop's orders.
workflow: shop.orders
title: Orders of the shop
nodes:
  # where it begins
  fetch: {type: transform, with: {output: [1, 2, 3]}}   # three lines
  route:
    type: branch
    needs: [fetch]
    with: {cases: {large: "{{ size(nodes.fetch.output) > 2 }}"}, default: small}
  each:
    type: map
    needs: [route.large]
    with: {over: "{{ nodes.fetch.output }}", do: {type: transform, with: {output: "{{ item }}"}}}
  note: {type: transform, needs: [route.small], with: {output: few}}
  hold: {type: wait, needs: [each, note], join: none_failed, with: {for: 10ms}}
  ship: {type: transform, needs: [hold], with: {output: "{{ nodes.fetch.output }}"}}
output: "{{ nodes.ship.output }}"
"""
#: The clipboard itself needs a secure page and a permission; the events are what it sends.
COPY_AND_PASTE = """() => {
  const options = {clipboardData: new DataTransfer(), bubbles: true, cancelable: true};
  for (const kind of ['copy', 'paste'])
    document.activeElement.dispatchEvent(new ClipboardEvent(kind, options));
}"""


@pytest.fixture
def workflow(transactional_db: None) -> Workflow:
    return publishing.publish(workspaces.default(), SIX, by=None).workflow


def node(page: Page, name: str) -> Locator:
    return page.locator(f'.svelte-flow__node[data-id="{name}"]')


def open_design(page: Page, workflow: Workflow) -> None:
    page.goto(f"/workflows/{workflow.pk}/design/", wait_until="commit")
    expect(page.locator(".svelte-flow__node").first).to_be_visible()
    expect(page.locator(".verdict-of-editor")).not_to_contain_text("checking")


def verdict(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.locator(".verdict-of-editor")).to_contain_text(text)


def write_yaml(page: Page, text: str) -> None:
    """Replace the whole text, as one who types or pastes."""
    page.get_by_role("tab", name="YAML").click()
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Saved as a draft")).to_be_visible()


def settled(page: Page, item: Locator) -> None:
    """Wait until the view has stopped gliding: the node is where it was two frames ago."""
    before = None
    while before != (before := item.bounding_box()):
        page.evaluate("new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")


def connect(page: Page, source: Locator, target: Locator) -> None:
    """Drag from a handle to a node's upper handle."""
    begin, end = source.bounding_box(), target.locator(".target").bounding_box()
    assert begin
    assert end
    page.mouse.move(begin["x"] + begin["width"] / 2, begin["y"] + begin["height"] / 2)
    page.mouse.down()
    page.mouse.move(begin["x"] + 30, begin["y"] + 30, steps=4)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
    page.mouse.up()


def named(page: Page, old: str, new: str) -> None:
    field = page.get_by_label("Name", exact=True)
    expect(field).to_have_value(old)
    field.fill(new)
    field.press("Enter")
    expect(node(page, new)).to_be_visible()


def needs(page: Page, name: str) -> None:
    box = page.get_by_role("group", name="Needs").get_by_label(name, exact=True)
    box.focus()
    page.keyboard.press("Space")
    expect(box).to_be_checked()


def test_six_nodes_by_mouse_and_keyboard_run_to_their_end(
    sign_in: Callable[..., Page],
    worker_process: Callable[..., Any],
) -> None:
    worker_process(queues="default", concurrency=1)
    page = sign_in("/workflows/", viewport={"width": 1440, "height": 1000})
    page.get_by_role("link", name="New workflow").click()
    page.wait_for_url("**/workflows/design/")
    write_yaml(page, "# Ours, by hand.\nworkflow: shop.orders\n")
    page.get_by_role("tab", name="Workflow").click()
    expect(page.get_by_text("Drag a node type onto the canvas")).to_be_visible()

    # A type is dragged onto the canvas, and told what to do.
    palette = page.get_by_role("region", name="Node types")
    canvas = page.locator(".canvas")
    palette.get_by_role("button", name="Transform").drag_to(
        canvas, target_position={"x": 250, "y": 60}
    )
    named(page, "transform", "fetch")
    page.get_by_label("Output").fill("[1, 2, 3]")

    # Others come by the keyboard, one searched for.
    search = page.get_by_placeholder("Search node types")
    search.fill("cases")
    search.press("Enter")
    named(page, "branch", "route")
    page.get_by_label("Cases").fill("{large: '{{ size(nodes.fetch.output) > 2 }}'}")
    page.get_by_label("Default", exact=True).fill("small")
    verdict(page, "1 error")  # it reads a node that does not come before it
    expect(node(page, "route").locator(".mark")).to_have_text("1")
    page.locator(".verdict-of-editor").click()
    problem = page.get_by_role("list", name="Problems").get_by_role("button").first
    expect(problem).to_contain_text("not_an_ancestor")
    problem.click()
    expect(page.get_by_label("Cases")).to_be_focused()

    # It is repaired by drawing the edge.
    page.get_by_role("button", name="Arrange").click()
    settled(page, node(page, "route"))
    connect(page, node(page, "fetch").locator(".source").first, node(page, "route"))
    expect(page.locator(".svelte-flow__edge")).to_have_count(1)
    expect(page.locator(".verdict-of-editor.bad")).to_have_count(0)

    search.fill("map")
    search.press("Enter")
    named(page, "map", "each")
    needs(page, "route.large")
    over = page.get_by_label("Over")
    over.fill("")
    over.press_sequentially("{{ nodes.fe")
    expect(page.get_by_role("listbox").get_by_role("option", name="fetch")).to_be_visible()
    page.keyboard.press("Enter")
    over.press_sequentially(".output }}")
    expect(over).to_have_value("{{ nodes.fetch.output }}")

    search.fill("transform")
    search.press("Enter")
    named(page, "transform", "note")
    page.get_by_label("Output").fill("few")
    needs(page, "route.small")
    search.fill("wait")
    search.press("Enter")
    named(page, "wait", "hold")
    page.get_by_label("For", exact=True).fill("10ms")
    needs(page, "each")
    needs(page, "note")
    page.get_by_label("Runs when").select_option("none_failed")
    search.fill("transform")
    search.press("Enter")
    named(page, "transform", "ship")
    page.get_by_label("Output").fill("{{ nodes.fetch.output }}")
    needs(page, "hold")
    expect(page.locator(".svelte-flow__node")).to_have_count(6)
    expect(page.locator(".svelte-flow__edge")).to_have_count(6)

    # The workflow's own form is there when no node is selected.
    page.get_by_role("button", name="Close the node").click()
    page.get_by_label("Output").fill("{{ nodes.ship.output }}")
    expect(page.locator(".verdict-of-editor.bad")).to_have_count(0)

    save(page)
    page.wait_for_url("**/workflows/*/design/")
    stored = Workflow.objects.get()
    assert stored.draft.startswith("# Ours, by hand.\nworkflow: shop.orders\n")
    written = yaml.safe_load(stored.draft)["nodes"]
    assert {name: one.get("needs", []) for name, one in written.items()} == {
        "fetch": [],
        "route": ["fetch"],
        "each": ["route.large"],
        "note": ["route.small"],
        "hold": ["each", "note"],
        "ship": ["hold"],
    }

    page.get_by_role("button", name="Publish…").click()
    page.get_by_label("What changed").fill("The first one")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Published as version 1.")).to_be_visible()
    assert stored.versions.get().note == "The first one"
    page.get_by_role("link", name="Start it").click()
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/runs/*-*/")
    wait_for(lambda: Run.objects.get().state == "succeeded", 60)
    assert Run.objects.get().output == [1, 2, 3]


def test_canvas_and_text_are_one_document(
    sign_in: Callable[..., Page],
    workflow: Workflow,
) -> None:
    page = sign_in("/runs/", viewport={"width": 1440, "height": 1000})
    open_design(page, workflow)
    expect(page.locator(".svelte-flow__node")).to_have_count(6)

    # A rename on the canvas follows into needs and expressions, and keeps every comment.
    node(page, "fetch").click()
    named(page, "fetch", "lines")
    save(page)
    assert drafts.opened(workflow).text == SIX.replace("fetch", "lines")

    # Undo and redo, by keys and buttons.
    page.keyboard.press("Control+z")
    expect(node(page, "fetch")).to_be_visible()
    page.keyboard.press("Control+Shift+z")
    expect(node(page, "lines")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(node(page, "fetch")).to_be_visible()
    node(page, "ship").click()
    page.keyboard.press("Delete")
    expect(node(page, "ship")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(node(page, "ship")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()

    # What is written in the text is drawn; what cannot be read leaves the last graph standing.
    write_yaml(page, SIX + "  # the end\n")
    write_yaml(page, SIX.replace("  ship:", "  pack: {type: wait, with: {for: 1s}}\n  ship:"))
    expect(node(page, "pack")).to_be_visible()
    write_yaml(page, SIX + "oops: [\n")
    verdict(page, "cannot be read")
    expect(node(page, "pack")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Line ")).click()
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.press("Control+z")
    expect(page.locator(".fault")).to_have_count(0)

    # Two nodes are copied and put in again, and follow each other.
    page.get_by_role("tab", name=re.compile("Workflow|Node")).click()
    node(page, "hold").click()
    node(page, "ship").click(modifiers=["Shift"])
    expect(page.get_by_text("2 nodes are selected.")).to_be_visible()
    page.evaluate(COPY_AND_PASTE)
    expect(node(page, "hold_2")).to_be_visible()
    save(page)
    copied = yaml.safe_load(drafts.opened(workflow).text)["nodes"]["ship_2"]
    assert copied["needs"] == ["hold_2"]


def test_the_second_save_is_told_and_nothing_is_overwritten(
    sign_in: Callable[..., Page],
    workflow: Workflow,
) -> None:
    page = sign_in("/runs/")
    open_design(page, workflow)
    theirs = SIX.replace("of the shop", "of theirs")
    drafts.save(workflow, theirs, drafts.opened(workflow).revision, by=None)

    page.get_by_label("Title", exact=True).fill("Orders of mine")
    page.keyboard.press("Control+s")
    dialog = page.get_by_role("dialog", name="The draft was changed meanwhile")
    expect(dialog).to_contain_text("Nothing was overwritten")
    dialog.get_by_role("button", name="Show the difference").click()
    expect(dialog.locator(".removed")).to_contain_text("Orders of theirs")
    expect(dialog.locator(".added")).to_contain_text("Orders of mine")
    assert drafts.opened(workflow).text == theirs

    dialog.get_by_role("button", name="Save mine as a copy").click()
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    copy = Workflow.objects.exclude(pk=workflow.pk).get()
    assert copy.name == "shop.orders-copy"
    assert "Orders of mine" in copy.draft
    assert drafts.opened(workflow).text == theirs
    assert page.url.endswith(f"/workflows/{copy.pk}/design/")


def test_what_was_not_saved_is_offered_after_a_crash(
    sign_in: Callable[..., Page],
    workflow: Workflow,
) -> None:
    page = sign_in("/runs/")
    open_design(page, workflow)
    page.get_by_label("Title", exact=True).fill("Almost lost")
    page.wait_for_function("Object.keys(localStorage).some((key) => key.includes('unsaved'))")
    # A new tab of the same browser: the first one never said goodbye.
    again = page.context.new_page()
    again.goto(page.url)
    again.get_by_role("button", name="Restore them").click()
    expect(again.get_by_label("Title", exact=True)).to_have_value("Almost lost")
    save(again)
    assert "Almost lost" in drafts.opened(workflow).text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(
    sign_in: Callable[..., Page],
    workflow: Workflow,
    scheme: str,
    width: int,
) -> None:
    broken = SIX.replace("type: wait", "type: wiat")
    drafts.save(workflow, broken, drafts.opened(workflow).revision, by=None)
    publishing.publish(workspaces.default(), SIX.replace("10ms", "20ms"), by=None)
    page = sign_in("/runs/", viewport={"width": width, "height": 900}, color_scheme=scheme)
    open_design(page, workflow)
    looked_at(page)
    page.locator(".verdict-of-editor").click()
    page.get_by_role("list", name="Problems").get_by_role("button").first.click()
    expect(page.get_by_role("form", name="Node hold")).to_be_visible()
    looked_at(page)
    page.get_by_role("tab", name="YAML").click()
    expect(page.locator(".cm-content")).to_be_visible()
    looked_at(page)
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0
    page.goto(f"/workflows/{workflow.pk}/versions/1/diff/2/")
    expect(page.locator(".svelte-flow__node .changed")).to_have_count(1)
    looked_at(page)


def looked_at(page: Page) -> None:
    """Nothing serious or critical within our part of the page."""
    found = Axe().run(page, context=".celesta").response["violations"]
    bad = [
        (one["id"], [part["html"][:160] for part in one["nodes"]][:3])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert bad == []


def test_a_thousand_nodes_can_be_worked_on(
    sign_in: Callable[..., Page],
    transactional_db: None,
) -> None:
    lines = [
        f"  n{i}: {{type: transform, needs: [n{(i - 1) // 3}], with: {{output: {i}}}}}"
        for i in range(1, 1000)
    ]
    text = "workflow: shop.big\nnodes:\n  n0: {type: transform, with: {output: 0}}\n"
    workflow = drafts.create(workspaces.default(), text + "\n".join(lines) + "\n", by=None)
    page = sign_in("/runs/", viewport={"width": 1440, "height": 1000})
    open_design(page, workflow)
    node(page, "n0").click()
    named(page, "n0", "root")
    page.get_by_label("Output").fill("{{ 1 + 1 }}")
    save(page)
    stored = drafts.opened(workflow).text
    assert "  root: {type: transform, with: {output: '{{ 1 + 1 }}'}}" in stored.replace('"', "'")
    assert stored.count("needs: [root]") == 3

    # Of a thousand nodes that could come first one is found by its name.
    node(page, "n2").click()
    expect(page.get_by_text("more: find them by name")).to_be_visible()
    page.get_by_label("Find a node that comes first").fill("n500")
    needs(page, "n500")
    save(page)
    assert "n2: {type: transform, needs: [root, n500]" in drafts.opened(workflow).text
