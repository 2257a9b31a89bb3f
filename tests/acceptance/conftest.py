"""A real Chromium, and somebody who is signed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer
from pytest_django.plugin import DjangoDbBlocker

from celesta.runs import connection
from tests.faults.conftest import WORKLOAD  # knows the quick hash of passwords
from tests.webs import WebProcess

#: Milliseconds until a page that does not come, or does not change, is a failure. No promise to
#: anybody: the machine may be busy with other tests, and who succeeds never waits for it.
PATIENCE = 30_000


@pytest.fixture(scope="session")
def _engine_connection(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Close the engine's own connection before the test database is dropped."""
    yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture
def browser(chromium: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Return a Chromium of this test's own; whatever is expected of its pages may take a while."""
    # Playwright's synchronous interface runs a loop in this thread; our queries do not mind.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()
        connections.close_all()  # Django's connections are per event loop: these are of this one


@pytest.fixture
def site(live_server: LiveServer) -> str:
    """Return where the pages are: at pytest-django's server; a module may have one of its own."""
    return live_server.url


@pytest.fixture
def web(transactional_db: None, tmp_path: Path) -> Iterator[WebProcess]:
    """Return the server that `make up` runs, whose pages go on by their streams."""
    process = WebProcess("web", tmp_path, {**WORKLOAD, "STATIC_FROM_APPS": "1"})
    yield process.start()
    process.stop()


@pytest.fixture
def sign_in(browser: Browser, site: str, _engine_connection: None) -> Callable[..., Page]:
    """Sign in by the form; ``options`` are the browser's (width, colour scheme, scripts)."""
    users: Any = get_user_model().objects
    ann, _ = users.get_or_create(
        username="ann", defaults={"is_staff": True, "is_superuser": True, "email": ""}
    )
    ann.set_password("secret")
    ann.save()

    def signed_in(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(base_url=site, **options)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        page.goto(f"/admin/login/?next={path}")
        page.fill("input[name=username]", "ann")
        page.fill("input[name=password]", "secret")
        page.click("[type=submit]")
        page.wait_for_url(re.compile(r"^(?!.*login).*$"))
        return page

    return signed_in
