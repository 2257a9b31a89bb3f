"""The whole story of a workflow, by mouse and keyboard only.

Its author builds, publishes and starts it, watches it fail, reads why, repairs it, and runs it
again from what failed. A real Chromium, a real web server with its streams, a real worker.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Locator, Page, Route, expect

from celesta.access import workspaces
from celesta.access.models import Membership, Role
from celesta.runs.models import Event, Run
from celesta.workflows.models import Workflow
from tests.acceptance.conftest import PATIENCE
from tests.acceptance.hands import Hands
from tests.webs import WebProcess

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PARAMS = "{type: object, required: [lines], properties: {lines: {type: integer, title: Lines}}}"
CASES = "{many: '{{ params.lines > 1 }}'}"
#: Typed with an off-by-one error: a list of three has no member 3.
WRONG = "{{ nodes.each.output[params.lines] }}"
RIGHT = "{{ nodes.each.output[params.lines - 1] }}"


@pytest.fixture
def page(browser: Browser, web: WebProcess, _engine_connection: None) -> Iterator[Page]:
    """The browser of somebody who is an author, and no more, and has not signed in yet."""
    author: Any = get_user_model().objects.create_user("ada", password="secret", is_staff=True)
    Membership.objects.create(workspace=workspaces.default(), user=author, role=Role.AUTHOR)
    context = browser.new_context(base_url=web.url, viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    assert errors == [], "the console of the browser"


def node(page: Page, name: str) -> Locator:
    return page.locator(f'.svelte-flow__node[data-id="{name}"]')


def drawn(page: Page, name: str) -> Locator:
    """A node of a run's graph."""
    return page.locator(f'.graph [data-name="{name}"]')


def in_state(page: Page, state: str, *names: str) -> None:
    for name in names:
        expect(drawn(page, name)).to_have_class(re.compile(rf"\bs-{state}\b"))


def add(hands: Hands, type_: str, name: str) -> None:
    """Find a type by typing, put it onto the canvas by Enter, and name it."""
    page = hands.page
    search = page.get_by_placeholder("Search node types")
    hands.write(search, type_, "Enter")
    rename(hands, name)


def rename(hands: Hands, name: str) -> None:
    field = hands.page.get_by_label("Name", exact=True)
    expect(field).to_have_value(re.compile("^(transform|branch|map)"))
    hands.write(field, name, "Enter")
    expect(node(hands.page, name)).to_be_visible()


def connect(hands: Hands, source: str, target: str, case: str = "") -> None:
    """Draw an edge from a handle below one node to the handle above another."""
    page = hands.page
    which = f'[data-handleid="{case}"]' if case else ":not([data-handleid])"
    before = page.locator(".svelte-flow__edge").count()
    to = hands.point(node(page, target).locator(".target"))
    hands.drag(node(page, source).locator(f".source{which}"), to)
    expect(page.locator(".svelte-flow__edge")).to_have_count(before + 1)


def build(hands: Hands) -> None:
    page = hands.page
    palette = page.get_by_role("region", name="Node types")
    box = page.locator(".canvas").bounding_box()
    assert box
    hands.drag(
        palette.get_by_role("button", name=re.compile("^Transform")),
        (box["x"] + 260, box["y"] + 90),
    )
    rename(hands, "fetch")
    hands.write(page.get_by_label("Output"), "[10, 20, 30]")
    add(hands, "branch", "route")
    hands.write(page.get_by_label("Cases"), CASES)
    hands.write(page.get_by_label("Default", exact=True), "few")
    add(hands, "map", "each")
    over = page.get_by_label("Over")
    hands.write(over, "{{ nodes.fetch.output }}")
    item = page.locator("fieldset", has_text="For each item").get_by_label("Output")
    hands.write(item, "{{ item * 2 }}")
    add(hands, "transform", "note")
    hands.write(page.get_by_label("Output"), "only few")
    add(hands, "transform", "last")
    hands.write(page.get_by_label("Output"), WRONG)
    add(hands, "transform", "ship")
    hands.write(page.get_by_label("Output"), "{{ nodes.fetch.output }}")

    hands.click(page.get_by_role("button", name="Arrange"))
    connect(hands, "fetch", "route")
    hands.click(page.get_by_role("button", name="Arrange"))
    connect(hands, "route", "each", "many")
    connect(hands, "route", "note", "few")
    hands.click(page.get_by_role("button", name="Arrange"))
    connect(hands, "each", "last")
    connect(hands, "last", "ship")
    connect(hands, "note", "ship")
    hands.click(page.get_by_role("button", name="Arrange"))

    hands.click(node(page, "ship"))
    join = page.get_by_label("Runs when")
    hands.choose(page.locator("label", has_text="Runs when"), join, "none_f")
    expect(join).to_have_value("none_failed")
    hands.click(page.get_by_role("button", name="Close the node"))
    hands.write(page.get_by_role("combobox", name="Name", exact=True), "shop.story")
    hands.write(page.get_by_label("Title", exact=True), "Story of the shop")
    hands.write(page.get_by_label("Params"), PARAMS)
    hands.write(page.get_by_label("Output"), "{{ nodes.ship.output }}")
    expect(page.locator(".verdict-of-editor")).to_have_text("valid")


def publish(hands: Hands, note: str, version: int) -> None:
    page = hands.page
    hands.click(page.get_by_role("button", name="Publish…"))
    hands.write(page.get_by_label("What changed"), note, "Enter")
    expect(page.get_by_text(f"Published as version {version}.")).to_be_visible()


def test_from_an_empty_canvas_to_a_repaired_run(
    page: Page, worker_process: Callable[..., Any]
) -> None:
    hands = Hands(page)
    # Given an author who has signed in and opened the editor,
    page.goto("/workflows/")
    hands.write(page.get_by_label("Username"), "ada")
    hands.write(page.get_by_label("Password"), "secret", "Enter")
    hands.click(page.get_by_role("link", name="New workflow"))
    page.wait_for_url("**/workflows/design/")
    expect(page.locator(".verdict-of-editor")).to_have_text("valid")
    # an empty canvas in place of the example,
    hands.click(page.locator(".canvas .svelte-flow__pane"))
    hands.press("Control+a")
    hands.press("Delete")
    expect(page.get_by_text("Drag a node type onto the canvas")).to_be_visible()

    # When six nodes are built, kept as a draft and published with a note,
    build(hands)
    hands.click(page.get_by_role("button", name="Save draft"))
    expect(page.get_by_text("Saved as a draft")).to_be_visible()
    workflow = Workflow.objects.get(name="shop.story")
    assert not workflow.versions.exists()
    publish(hands, "The first one", 1)
    assert workflow.versions.get().note == "The first one"
    assert {
        name: one.get("needs", [])
        for name, one in yaml.safe_load(workflow.versions.get().source)["nodes"].items()
    } == {
        "fetch": [], "route": ["fetch"], "each": ["route.many"], "note": ["route.few"],
        "last": ["each"], "ship": ["last", "note"],
    }  # fmt: skip

    # and it is started from the form that its params make,
    hands.click(page.get_by_role("link", name="Start it"))
    hands.write(page.get_by_label("Lines"), "3")
    hands.click(page.get_by_role("button", name="Start", exact=True))
    page.wait_for_url("**/runs/*-*/")
    expect(drawn(page, "fetch")).to_be_visible()
    in_state(page, "ready", "fetch")
    first = page.url

    # Then the graph goes on by the stream alone: every other look at the page is cut off.
    fresh: list[str] = []
    page.on("framenavigated", lambda frame: fresh.append(frame.url))
    page.route(f"{first}**", cut_off)
    worker_process(queues="default", concurrency=1)
    in_state(page, "succeeded", "fetch", "route", "each")
    in_state(page, "skipped", "note")
    in_state(page, "failed", "last")
    in_state(page, "upstream_failed", "ship")
    page.unroute(f"{first}**")
    badge = page.locator(".facts .badge").first
    expect(badge).to_have_text("failed")
    assert fresh == [], "nothing was loaded anew"

    # The panel of the node that failed says why,
    hands.click(drawn(page, "last"))
    panel = page.get_by_role("dialog")
    why = "nodes.each.output[params.lines] does not exist: nodes.each.output has 3 items"
    expect(panel.locator(".notice.bad")).to_contain_text(why)
    # and leads to the editor, to that node.
    hands.click(panel.get_by_role("link", name="Edit"))
    page.wait_for_url("**/design/**")
    field = page.get_by_role("form", name="Node last").get_by_label("Output")
    expect(field).to_have_value(WRONG)
    hands.write(field, RIGHT)
    expect(page.locator(".verdict-of-editor")).to_have_text("valid")
    publish(hands, "One less", 2)

    # Run again from what failed, on the repaired version, it succeeds.
    hands.click(page.get_by_role("link", name="Runs").last)
    hands.click(page.locator("tbody").get_by_role("link", name="Story of the shop"))
    expect(badge).to_have_text("failed")
    hands.click(page.get_by_role("link", name="Rerun…"))
    expect(page.get_by_label("What failed, and all that comes after it")).to_be_checked()
    version = page.get_by_label("Version")
    hands.choose(page.locator("label", has_text="Version"), version, "2")
    expect(version).to_have_value("2")
    told = page.locator("[data-previewed]")
    expect(told.locator(".again")).to_have_text("last ship")
    expect(told.locator(".kept")).to_have_text("fetch route each note")
    hands.click(page.get_by_role("button", name="Run again"))
    page.wait_for_url(re.compile(rf"^(?!{re.escape(first)}).*/runs/[0-9a-f-]+/$"))
    expect(badge).to_have_text("succeeded")
    in_state(page, "succeeded", "fetch", "route", "each", "last", "ship")
    in_state(page, "skipped", "note")
    made = Run.objects.select_related("version").get(pk=page.url.rstrip("/").split("/")[-1])
    assert (made.version.number, made.output) == (2, [10, 20, 30])
    assert str(made.rerun_of) in first
    began = Event.objects.filter(run_id=made.pk, kind="running", scope=0)
    plan = made.version.plan
    ran = {plan.nodes[n or 0].name for n in began.values_list("node", flat=True)}
    assert ran == {"last", "ship", "end"}

    # It is found in the list of all runs, by its name and its state.
    hands.click(page.get_by_role("navigation").get_by_role("link", name="Runs").first)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(2)
    hands.write(page.get_by_placeholder("Workflow or key"), "story", "Enter")
    page.wait_for_url("**q=story**")
    expect(rows).to_have_count(2)
    hands.click(page.locator(".chip", has_text=re.compile("^succeeded$")))
    page.wait_for_url("**state=succeeded**")
    expect(rows).to_have_count(1)
    hands.click(rows.get_by_role("link", name="Story of the shop"))
    page.wait_for_url(f"**/runs/{made.pk}/")


def cut_off(route: Route) -> None:
    """What console.js fetches to see how far the run is."""
    if route.request.header_value("X-Celesta-Fragment"):
        route.fulfill(status=204)  # nothing has changed
    else:
        route.continue_()
