"""A person at a browser: writes a workflow, sees what is wrong, publishes, starts, watches.

A real Chromium, a real worker; nothing is reloaded to see a run go on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from celesta.access import workspaces
from celesta.access.principals import SYSTEM
from celesta.artifacts import store
from celesta.engine.start import start_run
from celesta.runs.models import Run
from celesta.workflows import publishing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

BROKEN = """\
workflow: shop.orders
title: Orders of the shop
params:
  type: object
  required: [order]
  properties:
    order: {type: integer, minimum: 1, title: Number of the order}
    slow: {type: boolean, default: false}
nodes:
  fetch: {type: transform, with: {output: "order {{ params.order }}"}}
  split: {type: transform, needs: [fetch], with: {output: [1, 2, 3]}}
  each:
    type: map
    needs: [split]
    with: {over: "{{ nodes.split.output }}", do: {type: transform, with: {output: "{{ item }}"}}}
  hold: {type: wait, when: "{{ params.slow }}", with: {for: 1h}}
  ship: {type: transfrom, needs: [each, pay], with: {output: 1}}
output: "{{ nodes.fetch.output }}"
"""
WRONG_LINE = next(n for n, line in enumerate(BROKEN.splitlines(), 1) if "transfrom" in line)
GOOD = BROKEN.replace("transfrom", "transform").replace(", pay]", "]")


def write(page: Page, text: str) -> None:
    page.locator("#source").fill(text)


def marked(page: Page) -> list[int]:
    return [int(number) for number in page.locator(".gutter .error").all_inner_texts()]


def test_from_an_empty_page_to_a_finished_run(
    sign_in: Callable[..., Page], worker_process: Callable[..., Any]
) -> None:
    worker_process(queues="default", concurrency=1)
    page = sign_in("/workflows/")
    expect(page.get_by_text("No workflow yet.")).to_be_visible()
    page.get_by_role("link", name="New workflow").click()
    page.get_by_role("link", name="Document", exact=True).click()

    # What is wrong is told while one writes, at its line.
    write(page, BROKEN)
    expect(page.locator("[data-verdict]")).to_contain_text("2 errors")
    assert marked(page) == [WRONG_LINE]
    problem = page.locator("[data-problems] li", has_text="transfrom")
    problem.get_by_role("link", name=f"line {WRONG_LINE}").click()
    selected = page.locator("#source").evaluate(
        "area => area.value.slice(area.selectionStart, area.selectionEnd)"
    )
    assert selected == BROKEN.splitlines()[WRONG_LINE - 1]

    # An invalid draft is kept, marks and all.
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url("**/workflows/*/edit/")
    page.reload()
    assert page.locator("#source").input_value() == BROKEN
    expect(page.locator(".gutter .error")).to_have_count(1)
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("[data-problems]")).to_contain_text("pay")

    write(page, GOOD)
    expect(page.locator("[data-verdict]")).to_have_text("valid")
    assert marked(page) == []
    page.get_by_placeholder("What changed").fill("The first one")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published as version 1.")).to_be_visible()
    expect(page.locator("svg .node")).to_have_count(6)

    # The start form is made of the params; its errors stand at their fields.
    page.get_by_role("link", name="Start").click()
    page.get_by_label("Number of the order").fill("0")
    page.get_by_role("button", name="Start").click()
    wrong = page.locator(".field.wrong")
    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text("less than the minimum of 1")
    page.get_by_label("Number of the order").fill("7")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/runs/*-*/")

    # The run goes on before one's eyes.
    expect(page.locator(".facts .badge")).to_have_text("succeeded")
    expect(page.locator("[data-while-live]:visible")).to_have_count(0)
    expect(page.locator("svg .node.s-succeeded")).to_have_count(5)
    expect(page.locator("svg .node.s-skipped")).to_have_count(1)
    expect(page.locator("svg .node", has_text="3 / 3")).to_have_count(1)
    expect(page.locator(".card pre").last).to_contain_text("order 7")

    # A node opens beside it, and closes by the keyboard.
    page.locator("tbody").get_by_role("link", name="each", exact=True).click()
    panel = page.get_by_role("dialog")
    expect(panel.locator("tbody tr")).to_have_count(3)
    panel.get_by_role("link", name="2", exact=True).click()
    expect(panel.get_by_role("heading", name="Item", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()

    first = page.url
    page.get_by_role("button", name="Run again").click()
    expect(page.get_by_text("Started with the same params")).to_be_visible()
    assert page.url != first
    expect(page.locator(".facts .badge")).to_have_text("succeeded")
    page.goto("/runs/")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert Run.objects.filter(state="succeeded").count() == 2


def test_cancel_a_run_that_waits(
    sign_in: Callable[..., Page], worker_process: Callable[..., Any]
) -> None:
    worker_process(queues="default", concurrency=1)
    version = publishing.publish(workspaces.default(), GOOD, by=None)
    page = sign_in("/runs/")
    started = start_run(version, {"order": 1, "slow": True}, principal=SYSTEM)
    page.goto(f"/runs/{started.run.pk}/")
    expect(page.locator("svg .node.s-waiting")).to_have_count(1)
    page.get_by_role("link", name="Cancel").click()
    page.get_by_label("Reason").fill("Nobody wants it")
    page.get_by_role("button", name="Cancel the run").click()
    expect(page.locator(".facts .badge")).to_have_text("cancelled")
    expect(page.locator(".notice.quietly")).to_contain_text("Nobody wants it")


@pytest.fixture
def run(transactional_db: None) -> Run:
    version = publishing.publish(workspaces.default(), GOOD, by=None)
    return start_run(version, {"order": 1}, principal=SYSTEM).run


def test_everything_works_without_scripts(
    sign_in: Callable[..., Page], run: Run, browser: Browser, live_server: LiveServer
) -> None:
    cookies = sign_in("/runs/").context.cookies()  # the admin's own sign-in page needs scripts
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"/workflows/{run.workflow_id}/edit/")
    write(page, BROKEN)
    page.get_by_role("button", name="Validate").click()
    expect(page.locator("[data-problems] li.error")).to_have_count(2)
    assert page.locator("#source").input_value() == BROKEN
    page.goto("/runs/?state=pending")
    page.locator("tbody").get_by_role("link").first.click()
    page.locator("tbody").get_by_role("link", name="fetch", exact=True).click()
    expect(page.get_by_role("heading", name="fetch")).to_be_visible()


@pytest.mark.parametrize("width", [390, 820])
def test_nothing_is_cut_off_on_narrow_screens(
    sign_in: Callable[..., Page], run: Run, width: int
) -> None:
    page = sign_in("/runs/", viewport={"width": width, "height": 800})
    flow = f"/workflows/{run.workflow_id}/"
    for path in (
        "/runs/",
        f"/runs/{run.pk}/",
        "/workflows/",
        flow,
        f"{flow}edit/",
        f"{flow}start/",
    ):
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path


def test_dark_is_dark(sign_in: Callable[..., Page], run: Run) -> None:
    def paper(scheme: str) -> str:
        page = sign_in(f"/runs/{run.pk}/", color_scheme=scheme)
        return str(page.locator(".card").first.evaluate("e => getComputedStyle(e).backgroundColor"))

    assert paper("light") == "rgb(255, 255, 255)"
    assert max(int(part) for part in re.findall(r"\d+", paper("dark"))[:3]) < 60


def test_an_artifact_cannot_reach_the_console(
    sign_in: Callable[..., Page], run: Run, settings: Any, tmp_path: Path
) -> None:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path)}
    evil = (
        "<h1>Report</h1><script>document.body.innerHTML = 'scripted'; fetch('/runs/');"
        "try { parent.document.title = 'owned' } catch {}</script>"
        "<form action='/runs/' id='f'></form><a id='top' target='_top' href='/admin/logout/'>go</a>"
    )
    saved = store.save(run.pk, 0, 0, "fetch", 1, run.workspace_id, "report.html", evil)
    asked: list[str] = []
    page = sign_in(f"/runs/{run.pk}/")
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("link", name="report.html", exact=True).click()
    frame = page.frame_locator("iframe.artifact")
    expect(frame.get_by_role("heading", name="Report")).to_be_visible()
    assert "owned" not in page.title()
    assert page.frames[1].evaluate("window.origin") == "null"
    frame.locator("#top").click()
    assert page.url.endswith(f"/artifacts/{saved['artifact']}/")
    assert not [url for url in asked if url.endswith("/runs/")]
    # By its own address it has an origin of its own as well.
    page.goto(f"/artifacts/{saved['artifact']}/content/")
    expect(page.get_by_role("heading", name="Report")).to_be_visible()
    assert page.evaluate("window.origin") == "null"


SLOW = """\
workflow: shop.slow
nodes:
  first: {type: wait, with: {for: 2s}}
  each:
    type: map
    needs: [first]
    with: {over: [1, 2, 3, 4], do: {type: wait, with: {for: 1s}}}
  last: {type: wait, needs: [each], with: {for: 1s}}
"""


def test_the_graph_is_coloured_as_the_run_goes_on_and_can_be_looked_around_in(
    sign_in: Callable[..., Page], worker_process: Callable[..., Any]
) -> None:
    worker_process(queues="default", concurrency=1)
    version = publishing.publish(workspaces.default(), SLOW, by=None)
    page = sign_in("/workflows/")
    run = start_run(version, {}, principal=SYSTEM).run
    page.goto(f"/runs/{run.pk}/")
    graph = page.locator(".graph.windowed")
    expect(graph).to_be_visible()
    # It is the same drawing all the time: what is marked here stays.
    page.evaluate("document.querySelector('.graph').dataset.kept = 'yes'")
    for name in ("first", "each", "last"):
        box = graph.locator(f"[data-name={name}]")
        expect(box).to_have_class(re.compile("s-succeeded"))
    expect(graph.locator("[data-name=each] .kind")).to_have_text("map · 4 / 4")
    expect(graph.locator("[data-name=each] .part.s-succeeded")).to_have_count(1)
    expect(page.locator(".legend [data-state=succeeded] b")).to_have_text("3")
    expect(page.locator(".legend [data-state=running]")).to_be_hidden()
    expect(page.locator(".graph[data-kept=yes]")).to_have_count(1)
    # By buttons and by keys it comes closer and goes back.
    svg = graph.locator("> svg")
    whole = svg.get_attribute("viewBox")
    page.get_by_role("button", name="Zoom in").click()
    assert svg.get_attribute("viewBox") != whole
    graph.focus()
    page.keyboard.press("0")
    expect(svg).to_have_attribute("viewBox", str(whole))
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    # Dragging is no click; a click opens the node.
    page.keyboard.press("0")
    place = graph.locator("[data-name=first] .box").bounding_box()
    assert place is not None
    page.mouse.move(place["x"] + 20, place["y"] + 20)
    page.mouse.down()
    page.mouse.move(place["x"] + 60, place["y"] + 30, steps=4)
    page.mouse.up()
    expect(page.locator("dialog.panel")).not_to_be_visible()
    page.keyboard.press("0")
    graph.locator("[data-name=first] .label").click()
    expect(page.locator("dialog.panel")).to_contain_text("first")
