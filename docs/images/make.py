"""Makes the screenshots of the main pages in this folder, of the Celesta that is up.

Run it from the repository's folder while `make up` runs: `.venv/bin/python docs/images/make.py`.
It starts a few runs of a workflow of its own first, so that there is something to see.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SIZE = {"width": 1280, "height": 900}
#: Seconds for the runs to end.
PATIENCE = 60.0

sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

#: Some of its runs fail: order 0 has no price.
DOCUMENT = """\
workflow: pictures.orders
title: Fulfil an order
tags: [shop]
params:
  type: object
  required: [amount]
  properties: {amount: {type: integer, minimum: 0, title: Amount, default: 3}}
nodes:
  fetch: {type: wait, title: Fetch the order, with: {for: 200ms}}
  price:
    type: transform
    title: Price
    needs: [fetch]
    with: {output: "{{ 100 / params.amount }}"}
  lines:
    type: map
    title: Reserve the lines
    needs: [fetch]
    with:
      over: [1, 2, 3, 4, 5, 6]
      do: {type: wait, with: {for: 100ms}}
  route:
    type: branch
    title: Large or small
    needs: [price]
    with: {cases: {large: "{{ nodes.price.output > 20 }}"}, default: small}
  approve:
    type: wait
    title: Approve
    needs: [route]
    when: "{{ nodes.route.output.case == 'large' }}"
    with: {for: 400ms}
  ship:
    type: transform
    title: Ship
    needs: [lines, route, approve]
    join: none_failed
    with: {output: shipped}
"""


def main() -> None:
    """Start runs, sign in by a link of our own, and take the pictures."""
    import django

    import project  # noqa: F401 - puts apps/ and workers/ on the path

    django.setup()
    from playwright.sync_api import sync_playwright

    pages, address = list(prepared()), link()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        context = browser.new_context(viewport=SIZE)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(address)
        start = page.url.split("/runs/")[0]
        for name, path, scheme in pages:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.goto(start + path)
            page.wait_for_load_state("load")
            page.wait_for_timeout(1500)  # drawings glide into place
            page.screenshot(path=str(HERE / f"{name}.png"))
        browser.close()


def prepared() -> Iterator[tuple[str, str, str]]:
    """Name, address and colour scheme of each picture."""
    from django.urls import reverse

    from celesta.access import workspaces
    from celesta.runs.models import Run
    from celesta.workflows import publishing
    from project.demo.examples import AUDIT

    version = publishing.publish(workspaces.default(), DOCUMENT, by=None)
    failed = started(version)
    workflow = version.workflow_id
    audit = Run.objects.filter(workflow__name=AUDIT, state="succeeded").first()
    if audit is None:
        sys.exit("No audit has succeeded yet: `make demo` runs one.")
    yield "run", reverse("celesta_console:run", args=[audit.pk]), "light"
    yield "dashboard", reverse("celesta_console:dashboard"), "light"
    yield "run-failed", reverse("celesta_console:run", args=[failed]), "dark"
    yield "timeline", reverse("celesta_console:timeline", args=[audit.pk]), "light"
    yield "grid", reverse("celesta_console:grid", args=[workflow]), "light"
    yield "editor", reverse("celesta_console:design", args=[workflow]), "light"
    yield "editor-dark", reverse("celesta_console:design", args=[workflow]), "dark"
    yield "templates", reverse("celesta_console:templates"), "light"


def started(version: Any) -> Any:
    """Runs that succeed and fail, all of them ended; returns one that failed."""
    from celesta.access.principals import SYSTEM
    from celesta.engine.start import start_run
    from celesta.runs.models import Run

    runs = [
        start_run(version, {"amount": i % 7}, principal=SYSTEM, trigger="schedule").run.pk
        for i in range(24)
    ]
    ends = time.monotonic() + PATIENCE
    while Run.objects.filter(pk__in=runs, finished_at=None).exists():
        if time.monotonic() > ends:
            sys.exit("The runs do not end: is a worker up?")
        time.sleep(0.2)
    return Run.objects.filter(pk__in=runs, state="failed").values_list("pk", flat=True)[0]


def link() -> str:
    """Return a sign-in link that opens the last audit that succeeded."""
    from celesta.runs.models import Run
    from project.demo.accounts import ensure_admin
    from project.demo.examples import AUDIT
    from project.demo.welcome import link as welcome_link

    run = Run.objects.filter(workflow__name=AUDIT, state="succeeded").first()
    if run is None:
        sys.exit("No audit has succeeded yet: `make demo` runs one.")
    return welcome_link(ensure_admin(), run.pk)


def chromium() -> str:
    """Return the path of a Chromium."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    return found or sys.exit("There is no Chromium here: set CHROMIUM to its path.")


if __name__ == "__main__":
    main()
