"""A Chromium that looks at pages, and what is missing where there is none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connections

from benchmarks.sides import Hung

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
METER = Path(__file__).with_name("page_meter.js")
SIZE: Any = {"width": 1280, "height": 900}
PATIENCE = 120_000  # milliseconds: a page that takes longer is not measured but hung


class NoBrowser(Exception):
    """Pages cannot be looked at here; the message says what to install."""


@contextmanager
def chromium() -> Iterator["Browser"]:
    """A Chromium without a window; raises NoBrowser."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise NoBrowser(
            "Playwright is missing: `make .venv/dev.stamp` installs it (requirements-dev.txt)."
        ) from error
    path = _path()
    # Playwright's synchronous interface runs a loop in this thread; our queries do not mind.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            first = str(error).strip().splitlines()[0]
            raise NoBrowser(
                f"No Chromium starts here ({first}): install one (Debian, Ubuntu: "
                "apt-get install chromium), or set CHROMIUM to its path."
            ) from error
        try:
            yield browser
        finally:
            browser.close()
            connections.close_all()  # Django's are per loop: these are of Playwright's


def _path() -> str | None:
    """The Chromium of this machine; None for the one that Playwright may have brought."""
    named = os.environ.get("CHROMIUM", "")
    if named and not shutil.which(named):
        raise NoBrowser(f"CHROMIUM names no program: {named}")
    return named or next(filter(None, map(shutil.which, CHROMIUMS)), None)


@contextmanager
def new_page(browser: "Browser", url: str, cookie: tuple[str, str]) -> Iterator["Page"]:
    """A page of a browser that has never been here, signed in by a session's cookie.

    What the browser waits for in vain raises Hung.
    """
    from playwright.sync_api import Error

    context = browser.new_context(base_url=url, viewport=SIZE)
    context.set_default_timeout(PATIENCE)
    context.add_cookies([{"name": cookie[0], "value": cookie[1], "url": url}])
    context.add_init_script(path=METER)
    try:
        yield context.new_page()
    except Error as error:
        raise Hung(f"A page does not do what is waited for: {error}") from error
    finally:
        context.close()
