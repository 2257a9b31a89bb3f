"""Every page there is: nothing serious for axe, no error, nothing wider than a phone, all by keys.

The pages are enumerated from the URL configuration, so that a new one is looked at, or is named
below with the reason why not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect

from celesta.access import workspaces
from celesta.access.principals import SYSTEM
from celesta.engine.start import start_run
from celesta.workflows import publishing
from tests.acceptance import page_world
from tests.acceptance.looks import TOO_WIDE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: What an address that is not visited is instead of a page.
NOT_PAGES: Final = {
    "celesta_console:home": "leads to the dashboard",
    "celesta_console:compare": "leads to a diff",
    "celesta_console:import": "leads to import and export; what it shows is the answer to a file",
    "celesta_console:node-log": "a file",
    "celesta_console:value": "a file",
    "celesta_console:artifact-content": "a file",
    "celesta_console:export": "a file",
    "celesta_console:coming": "a part of the schedule's form",
    "celesta_console:validate": "JSON for the editors",
    "celesta_console:draft": "JSON for the editor",
    "celesta_console:draft-new": "JSON for the editor",
    "celesta_console:draft-publish": "JSON for the editor",
    **{
        f"celesta_console:{name}": "takes a POST, and leads to a page"
        for name in (
            "run-resume", "again", "schedule-pause", "schedule-run", "backfill-move", "activate",
            "pause", "restore",
        )
    },
    **{
        f"admin:celesta_{model}_{view}": "leads to our own page, or is refused: nothing is written"
        for model in ("workflows_workflow", "runs_run")
        for view in ("changelist", "add", "change", "delete", "history")
    },
    "admin:logout": "takes a POST",
    "admin:login": "is looked at before anybody is signed in",
    "admin:password_change_done": "Django's own, a sentence",
    "admin:search": "JSON for Unfold",
    "admin:autocomplete": "JSON for the admin",
    "admin:jsi18n": "a script",
    "admin:view_on_site": "leads elsewhere",
    "celesta_live": "for machines",
    "celesta_ready": "for machines",
    "welcome": "signs in and leads to a run",
}  # fmt: skip
#: Pages that other packages bring: their look is not ours.
OF_OTHERS: Final = ("admin:auth_", "admin:django_celery_beat_", "celesta_api:")
SERIOUS: Final = ("serious", "critical")
#: Axe takes twice as long when it also tells what is right, and longer when it makes up a selector
#: for each element.
ALL: Final = {"resultTypes": ["violations"], "selectors": False}
CONTRAST: Final = {**ALL, "runOnly": ["color-contrast"]}
VIOLATIONS: Final = "(options) => axe.run(options).then((found) => found.violations)"


class Looks:
    """What is wrong with the pages that were visited."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        self.visited: set[str] = set()
        # Every document begins with it, so that it need not be sent for each look at one.
        page.context.add_init_script(Axe().axe_script)
        page.on("console", self._said)
        page.on("response", self._answered)

    def at(self, name: str, address: str) -> None:
        """Visit a page, wide and narrow, light and dark."""
        page = self.page
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(address)
        self.here(address)
        self.visited.add(name)

    def here(self, what: str) -> None:
        """Look at the page as it stands."""
        page = self.page
        if page.locator(".visual-editor").count():
            expect(page.locator(".svelte-flow__node").first).to_be_visible()
        self._checked(f"{what} light", ALL)
        # Unfold looks at the system's scheme when it begins; from then on this class is the switch.
        page.evaluate("document.documentElement.classList.add('dark')")
        self._checked(f"{what} dark", CONTRAST)
        page.set_viewport_size({"width": 390, "height": 800})
        if wide := page.evaluate(TOO_WIDE):
            self.wrong.append(f"{what}: {wide}")

    def _checked(self, what: str, options: Any) -> None:
        found = self.page.evaluate(VIOLATIONS, options)
        self.wrong += [
            f"{what}: {one['id']}: {[part['html'][:140] for part in one['nodes']][:3]}"
            for one in found
            if one["impact"] in SERIOUS
        ]

    def _said(self, message: Any) -> None:
        if message.type == "error" and "status of 40" not in message.text:
            self.wrong.append(f"{self.page.url}: console: {message.text[:200]}")

    def _answered(self, response: Any) -> None:
        # A page that is not there is looked at, too.
        ours = response.request.is_navigation_request()
        if response.status >= 500 or (response.status >= 400 and not ours):
            self.wrong.append(f"{self.page.url}: {response.status} for {response.url}")


def test_every_page_in_light_and_dark_wide_and_narrow(
    sign_in: Callable[..., Page], worker_process: Callable[..., Any], settings: Any, tmp_path: Any
) -> None:
    settings.CELESTA = {"ARTIFACT_ROOT": str(tmp_path)}
    page = sign_in("/dashboard/")
    looks = Looks(page)
    # Given nothing at all, each list says what it is for
    for address in (
        "/dashboard/", "/runs/", "/workflows/", "/workflows/transfer/", "/workers/",
        "/dead-letters/", "/admin/celesta_triggers/schedule/", "/admin/celesta_vault/variable/",
    ):  # fmt: skip
        looks.at("", address)
    # Given a world with long names, long errors and many rows, every page
    worker_process(queues=page_world.QUEUE, env=page_world.WORKLOAD)
    world = page_world.filled(get_user_model().objects.get(username="ann"))
    for name, address in page_world.addresses(world):
        looks.at(name, address)
    # and the panel of a node
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"/runs/{world.succeeded.pk}/")
    page.locator("tbody").get_by_role("link", name="lines", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    looks.here("the panel")
    page.context.clear_cookies()
    looks.at("admin:login", "/admin/login/")
    assert not looks.wrong, "\n".join(looks.wrong)
    there = page_world.enumerated(lambda name: not name.startswith(OF_OTHERS))
    assert looks.visited - {"", "admin:login"} == there - NOT_PAGES.keys()
    assert NOT_PAGES.keys() <= there, "an address that is no more"


DOCUMENT = """\
workflow: shop.keys
nodes:
  fetch: {type: transform, with: {output: 1}}
  hold: {type: wait, needs: [fetch], with: {for: 1h}}
"""
#: What has the focus, and whether that can be seen.
FOCUS: Final = """() => {
  const one = document.activeElement;
  const look = (element) => getComputedStyle(element);
  const drawn = (style) => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0
    || style.boxShadow !== 'none';
  const near = [one, one.nextElementSibling, one.parentElement, one.querySelector('*')];
  return [one.textContent.trim().slice(0, 40) || one.name || one.tagName,
          near.some((element) => element && drawn(look(element)))];
}"""


def test_everything_on_a_run_s_page_is_reached_by_keys(sign_in: Callable[..., Page]) -> None:
    version = publishing.publish(workspaces.default(), DOCUMENT, by=None)
    run = start_run(version, {}, principal=SYSTEM).run
    page = sign_in(f"/runs/{run.pk}/", viewport={"width": 1280, "height": 900})
    # The first key offers a way past the menu
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()
    # Every action is on the way, and one sees where one is
    wanted = {"Pause", "Cancel", "Rerun…", "Run again", "Timeline", "fetch", "hold", "all"}
    unseen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, visible = page.evaluate(FOCUS)
        wanted.discard(name)
        unseen += [] if visible else [name]
        if not wanted:
            break
    assert wanted == set()
    assert unseen == []
    # A dialog keeps the focus until it is closed, and gives it back
    link = page.locator("tbody").get_by_role("link", name="fetch", exact=True)
    link.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("dialog")
    expect(panel).to_be_visible()
    for _ in range(25):
        page.keyboard.press("Tab")
        inside = (
            "document.activeElement.closest('dialog') || document.activeElement === document.body"
        )
        assert page.evaluate(f"Boolean({inside})")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(link).to_be_focused()


def test_the_menu_of_a_narrow_screen_opens_by_keys(sign_in: Callable[..., Page]) -> None:
    page = sign_in("/runs/", viewport={"width": 390, "height": 800})
    entry = page.get_by_role("link", name="Dead letters")
    expect(entry).not_to_be_in_viewport()
    page.get_by_role("button", name="Menu").last.focus()
    page.keyboard.press("Enter")
    expect(entry).to_be_in_viewport()


@pytest.mark.parametrize("zone", ["Asia/Tokyo"])
def test_instants_are_on_the_viewer_s_clock(sign_in: Callable[..., Page], zone: str) -> None:
    version = publishing.publish(workspaces.default(), DOCUMENT, by=None)
    run = start_run(version, {}, principal=SYSTEM).run
    page = sign_in(f"/runs/{run.pk}/", timezone_id=zone)
    told = page.locator(".events time").first
    hour = (run.created_at.hour + 9) % 24
    expect(told).to_have_text(re.compile(rf"^{hour:02}:"))
    for address in (
        f"/runs/{run.pk}/", "/runs/", "/dashboard/", f"/workflows/{run.workflow_id}/grid/",
        "/admin/celesta_access/workspace/",
    ):  # fmt: skip
        page.goto(address)
        assert page.locator("time[data-exact], [data-at]").count() == 0, address
        for time in page.locator("main time, [role=main] time").all():
            assert "on your clock" in (time.get_attribute("title") or ""), address


@pytest.mark.parametrize("width", [390, 1280])
def test_the_nodes_of_a_run_stand_under_it(sign_in: Callable[..., Page], width: int) -> None:
    version = publishing.publish(
        workspaces.default(), DOCUMENT.replace("hold", page_world.LONG), by=None
    )
    run = start_run(version, {}, principal=SYSTEM).run
    page = sign_in(f"/workflows/{run.workflow_id}/grid/", viewport={"width": width, "height": 800})
    above = page.locator("table.grid thead a").bounding_box()
    below = page.locator("table.grid tbody td").first.bounding_box()
    assert above
    assert below
    assert abs(above["x"] - below["x"]) < 1


def test_runs_are_chosen_one_by_one(sign_in: Callable[..., Page]) -> None:
    version = publishing.publish(workspaces.default(), DOCUMENT, by=None)
    runs = [start_run(version, {}, principal=SYSTEM).run for _ in range(3)]
    page = sign_in("/runs/")
    cancel = page.get_by_role("button", name="Cancel…")
    expect(cancel).to_be_disabled()
    page.get_by_role("checkbox", name="Choose all on this page").check()
    expect(page.get_by_text("3 chosen:")).to_be_visible()
    page.locator(f"input[value='{runs[0].pk}']").uncheck()
    cancel.click()
    expect(page.get_by_role("heading", name="Cancel 2 runs?")).to_be_visible()
    page.get_by_role("button", name="Cancel 2 runs").click()
    expect(page.get_by_text("2 runs cancelled, 0 refused.")).to_be_visible()
    runs[0].refresh_from_db()
    assert runs[0].state == "pending"
