"""Each page of the console and of the admin, while nothing else goes on.

The pages are those of the URL configuration. They are asked for through the network from a real
web process, and, where there is a Chromium, seen by it until they are loaded.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import httpx
from django.contrib import admin
from django.urls import reverse

from benchmarks.browser import new_page
from benchmarks.sides import Wrong
from celesta.access import workspaces
from celesta.access.principals import SYSTEM
from celesta.artifacts import store
from celesta.artifacts.models import Artifact
from celesta.console.urls import urlpatterns
from celesta.engine.awaiting import await_run
from celesta.engine.start import start_run
from celesta.triggers import backfills, schedules
from celesta.triggers.models import Schedule
from celesta.workflows import catalogue
from celesta.workflows.publishing import publish

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: The promise, in milliseconds.
PROMISE: Final = 300.0
TIMES: Final = 5
#: What the addresses of some pages are filled in with in place of what others are.
OTHERS: Final = {"letters-bulk": {"verb": "retry"}}

DOCUMENT: Final = """\
workflow: shop.orders
title: Orders of the shop
params: {type: object, properties: {amount: {type: integer, default: 3}}}
nodes:
  fetch: {type: transform, with: {output: [1, 2, 3]}}
  each:
    type: map
    needs: [fetch]
    with:
      over: "{{ nodes.fetch.output }}"
      do: {type: transform, with: {output: "{{ item }}"}}
  ship: {type: transform, needs: [each], with: {output: "{{ params.amount }}"}}
"""


@dataclass
class Asked:
    """What one page took, in milliseconds; `loaded_ms` is None where there is no browser."""

    page: str
    median_ms: float
    slowest_ms: float
    address: str
    loaded_ms: float | None = None


def world() -> dict[str, Any]:
    """Make one of each thing that a page shows; what addresses are filled in with."""
    workspace = workspaces.default()
    publish(workspace, DOCUMENT, by=None)
    version = publish(workspace, DOCUMENT.replace("1, 2", "2, 1"), by=None)
    run = await_run(start_run(version, {}, principal=SYSTEM).run.pk, [], timeout=60.0)
    store.save(run.pk, 0, 0, "fetch", 1, workspace.pk, "orders.txt", "one\ntwo\n")
    schedule = Schedule(workspace=workspace, workflow=version.workflow, name="nightly", paused=True)
    schedule.cron = "0 4 * * *"
    schedules.save(schedule)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    draft = backfills.of_schedule(schedule, begin, begin + timedelta(days=9))
    backfill = backfills.set_paused(backfills.create(draft, principal=SYSTEM), paused=True)
    return {
        "run_id": run.pk,
        "scope": 0,
        "index": 0,
        "artifact_id": Artifact.objects.latest("pk").pk,
        "workflow_id": version.workflow_id,
        "number": 2,
        "before": 1,
        "after": 2,
        "schedule_id": schedule.pk,
        "backfill_id": backfill.pk,
        "name": next(iter(catalogue.everything())),
        "what": "params",
        "verb": "cancel",
    }


def addresses(values: dict[str, Any]) -> dict[str, str]:
    """Each page's address by its name; raises Wrong when nothing is known to fill one in with."""
    found = {}
    for pattern in urlpatterns:
        wanted = pattern.pattern.converters
        if missing := set(wanted) - set(values):
            raise Wrong(f"benchmarks/idle_pages.py has no {missing} for the page {pattern.name}")
        given = values | OTHERS.get(str(pattern.name), {})
        arguments = {name: given[name] for name in wanted}
        found[str(pattern.name)] = reverse(f"celesta_console:{pattern.name}", kwargs=arguments)
    found["admin"] = reverse("admin:index")
    for model in admin.site._registry:  # noqa: SLF001 - it has no public name
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        found[f"admin {name}"] = reverse(f"admin:{name}_changelist")
        found[f"admin {name} add"] = reverse(f"admin:{name}_add")
        if row := model._default_manager.order_by("pk").first():
            found[f"admin {name} change"] = reverse(f"admin:{name}_change", args=[row.pk])
    return found


def measure(url: str, cookie: tuple[str, str], browser: Browser | None) -> list[Asked]:
    """Ask for every page several times, after once to warm up; the slowest page first."""
    found = []
    with httpx.Client(base_url=url, cookies=dict([cookie]), timeout=60) as client:
        for name, address in addresses(world()).items():
            if not _is_page(client.get(address), name):
                continue
            taken = [_answered(client, address) for _ in range(TIMES)]
            found.append(Asked(name, round(median(taken), 1), round(max(taken), 1), address))
    if browser:
        with new_page(browser, url, cookie) as page:
            for each in (found[0], *found):  # the first fetches scripts and styles
                each.loaded_ms = round(median(_loaded(page, each.address) for _ in range(3)), 1)
    return sorted(found, key=lambda one: -one.median_ms)


def _is_page(answer: httpx.Response, name: str) -> bool:
    """Neither an action, nor a file, nor a way to another page."""
    if answer.is_redirect or answer.status_code in (403, 405):
        return False  # what nobody may do (add a run in the admin), or only by POST
    if answer.status_code != 200:
        raise Wrong(f"the page {name} answers {answer.status_code}: {answer.text[:300]}")
    return str(answer.headers.get("content-type", "")).startswith("text/html")


def _answered(client: httpx.Client, address: str) -> float:
    began = time.perf_counter()
    client.get(address)
    return (time.perf_counter() - began) * 1e3


def _loaded(page: Page, address: str) -> float:
    page.goto(address, wait_until="load")
    return float(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd"))
