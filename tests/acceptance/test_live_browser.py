"""A page that is open goes on by the stream of a real ASGI server; nothing is reloaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.faults.conftest import (
    WORKLOAD,
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
def browser(chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    # Playwright's synchronous interface runs a loop in this thread; our queries do not mind.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()
        connections.close_all()  # Django's connections are per event loop: these are of this one


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[WebProcess]:
    process = WebProcess("web", tmp_path, {**WORKLOAD, "STATIC_FROM_APPS": "1"})
    yield process.start()
    process.stop()


@pytest.fixture
def sign_in(browser: Browser, web: WebProcess) -> Callable[[str], Page]:
    users: Any = get_user_model().objects
    users.filter(username="live").delete()
    users.create_superuser("live", password="secret")

    def signed_in(path: str) -> Page:
        context = browser.new_context(base_url=web.url)
        context.set_default_timeout(20_000)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        page.goto(f"/admin/login/?next={path}")
        page.fill("input[name=username]", "live")
        page.fill("input[name=password]", "secret")
        page.click("[type=submit]")
        page.wait_for_url(re.compile(r"^(?!.*login).*$"))
        return page

    return signed_in


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
    wait_for(lambda: page.evaluate("window.told.some(([kind]) => kind === 'end')"), 30)
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
