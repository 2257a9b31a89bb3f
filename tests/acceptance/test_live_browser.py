"""A page that is open goes on by the stream of a real ASGI server; nothing is reloaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.faults.conftest import (
    Stage,
    _close_hot_connection,  # noqa: F401
    _django_db_helper,  # noqa: F401
    _known_functions,  # noqa: F401
)
from tests.faults.conftest import stage as stage  # a fixture
from tests.processes import wait_for
from tests.webs import WebProcess

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def site(web: WebProcess) -> str:
    return web.url


def test_log_lines_and_states_appear_on_an_open_page(
    stage: Stage, sign_in: Callable[[str], Page], tmp_path: Path
) -> None:
    gate = tmp_path / "go on"
    worker = stage.worker()
    run = stage.start({
        "hold": stage.node("test.gate", args={"path": str(tmp_path / "begin")}),
        "speak": stage.node("test.speak", "hold", args={"path": str(gate)}),
    })  # fmt: skip
    stage.began()
    page = sign_in(f"/runs/{run.pk}/")
    pages: list[str] = []
    page.on("framenavigated", lambda frame: pages.append(frame.url))
    page.evaluate(
        "window.told = []; for (const kind of ['event', 'log', 'end'])"
        " document.addEventListener(`celesta:${kind}`, (e) => window.told.push([kind, e.detail]))"
    )
    row = page.locator("tbody tr", has_text="speak")
    expect(row.locator(".badge")).to_have_text("pending")
    row.get_by_role("link", name="speak").click()
    panel = page.locator("dialog.panel")
    expect(panel.locator(".why")).to_contain_text("It waits for hold (running)")
    expect(panel.locator(".log-empty")).to_be_visible()

    (tmp_path / "begin").touch()
    expect(panel.locator("[data-log] li", has_text="logged speak")).to_be_visible()
    expect(panel.locator("[data-log] li.t-error")).to_contain_text("it went wrong")
    expect(panel.locator("[data-log] li")).to_have_count(6)
    expect(row.locator(".badge")).to_have_text("running")
    print(worker.output()[-300:])

    gate.touch()
    expect(panel.locator("[data-log] li", has_text="no line break")).to_be_visible()
    wait_for(lambda: page.evaluate("window.told.some(([kind]) => kind === 'end')"))
    expect(page.locator("#live dl .badge").first).to_have_text("succeeded")
    expect(row.locator(".badge")).to_have_text("succeeded")
    ids = page.evaluate("window.told.filter(([kind]) => kind === 'event').map(([, e]) => e.id)")
    assert ids == sorted(set(ids)), "each event is told once, in order"
    assert pages == [], "nothing was reloaded"
    stage.ends(run)

    # The page of the node alone has the same lines, and offers them as a file.
    page.goto(f"/runs/{run.pk}/nodes/0/1/")
    expect(page.locator("[data-log] li")).to_have_count(7)


def test_the_page_of_a_node_goes_on_too(
    stage: Stage, sign_in: Callable[[str], Page], tmp_path: Path
) -> None:
    gate = tmp_path / "go on"
    stage.worker()
    run = stage.start({"speak": stage.node("test.speak", args={"path": str(gate)})})
    page = sign_in(f"/runs/{run.pk}/nodes/0/0/")
    expect(page.locator("[data-log] li")).to_have_count(6)
    gate.touch()
    expect(page.locator("[data-log] li")).to_have_count(7)
    stage.ends(run)
