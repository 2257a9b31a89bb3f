"""`python -m benchmarks ui`: lists of runs among a million, and the pages in a real Chromium.

Where Playwright or Chromium are missing it says what to install, and measures the rest.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

import benchmarks.celesta_nodes  # noqa: F401 - publishing asks whether functions are known
from benchmarks import editor_page, idle_pages, lists, run_page
from benchmarks.browser import NoBrowser, chromium
from benchmarks.canvas import describe, tell
from benchmarks.names import USER
from benchmarks.options import Options
from benchmarks.report import write
from benchmarks.servers import RESULTS, Servers
from benchmarks.web import Web
from benchmarks.workers import celesta_worker
from celesta.console.pages import pages_built

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NODES, QUICK_NODES = 1000, 30
#: Nodes of a run that change state, a second.
PACE: Final = 100


@dataclass
class Told:
    """What was measured, and which promises were not kept; tiny sizes keep and break none."""

    found: dict[str, Any]
    quick: bool
    broken: list[str] = field(default_factory=list)

    def promise(self, what: str, figure: float, holds: bool, promised: str) -> None:
        """Print a figure beside what is promised of it."""
        broken = not (holds or self.quick)
        tell(f"  {what:<58}{figure:>10,.1f}   {promised}{'   NOT KEPT' if broken else ''}")
        if broken:
            self.broken.append(f"{what}: {figure:,.1f} ({promised})")

    def plain(self, what: str, figure: float) -> None:
        """Print a figure of which nothing is promised."""
        tell(f"  {what:<58}{figure:>10,.1f}")


def run(options: Options, servers: Servers) -> int:
    """Measure, print and write; 1 when a promise is not kept."""
    told = Told(describe(options, servers), options.quick)
    user = get_user_model().objects.create_superuser(USER)
    if "lists" in options.parts:
        _lists(told)
    if set(options.parts) - {"lists"}:
        client = Client(SERVER_NAME="localhost")
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        _pages(told, options, servers, (name, client.cookies[name].value))
    told.found["load at the end"] = load = round(os.getloadavg()[0], 2)
    tell(f"\nLoad at the end {load:g}")
    date = told.found["date"].replace(":", "").replace("+0000", "Z")
    path = options.json or RESULTS / f"{date}-ui.json"
    write(path, told.found | {"broken": told.broken})
    for line in told.broken:
        tell(f"not kept: {line}")
    tell(f"Written to {path}")
    return 1 if told.broken else 0


def _lists(told: Told) -> None:
    runs, times = (lists.QUICK_RUNS, 3) if told.quick else (lists.RUNS, 12)
    found = lists.measure(runs, times)
    tell(f"\nLists among {runs:,} runs: {len(found)} questions, each {times} times\n")
    tell(lists.table(found) + "\n")
    told.found["lists"] = {"runs": runs, "figures": [asdict(one) for one in found]}
    slowest = max(one.p95 for one in found)
    promised = f"<= {lists.PROMISE:g} ms"
    told.promise("p95 of the slowest question, ms", slowest, slowest <= lists.PROMISE, promised)


def _pages(told: Told, options: Options, servers: Servers, cookie: tuple[str, str]) -> None:
    with ExitStack() as stack:
        browser = _browser(stack, told)
        if not browser and "pages" not in options.parts:
            return
        worker = celesta_worker(servers.directory, options.concurrency)
        worker.start()
        stack.callback(worker.stop)
        web = stack.enter_context(Web(servers.directory))
        nodes, times = (QUICK_NODES, 1) if options.quick else (NODES, options.repeat)
        if "pages" in options.parts:
            _idle(told, web.url, cookie, browser)
        if browser and "run" in options.parts:
            seen = [run_page.watch(browser, web.url, cookie, nodes, n) for n in range(times)]
            _run_page(told, seen, nodes)
        if browser and "editor" in options.parts:
            if pages_built():
                done = [editor_page.edit(browser, web.url, cookie, nodes, n) for n in range(times)]
                _editor(told, done, nodes)
            else:
                tell("\nThe editor was not measured: `make pages` builds it first.")


def _browser(stack: ExitStack, told: Told) -> Browser | None:
    try:
        return stack.enter_context(chromium())
    except NoBrowser as error:
        tell(f"\nNothing was measured in a browser. {error}")
        told.found["browser"] = None
        return None


def _idle(told: Told, url: str, cookie: tuple[str, str], browser: Browser | None) -> None:
    found = idle_pages.measure(url, cookie, browser)
    told.found["pages"] = [asdict(one) for one in found]
    tell(
        f"\nEach of {len(found)} pages while nothing goes on, {idle_pages.TIMES} times; ms of the "
        "slowest until they are answered\n"
    )
    for one in found[:5]:
        loaded = f"   loaded after {one.loaded_ms:,.0f}" if one.loaded_ms else ""
        tell(f"    {one.page:<44}{one.median_ms:>8,.1f}   at worst {one.slowest_ms:,.1f}{loaded}")
    worst, promised = found[0].median_ms, f"<= {idle_pages.PROMISE:g} ms"
    told.plain("the median page, ms until it is answered", median(one.median_ms for one in found))
    told.promise("the slowest page, ms", worst, worst <= idle_pages.PROMISE, promised)
    if seen := [one.loaded_ms for one in found if one.loaded_ms is not None]:
        told.plain("the median page, ms until it is loaded", median(seen))
        told.plain("the page that is loaded last, ms", max(seen))


def _run_page(told: Told, found: Sequence[run_page.Watched], nodes: int) -> None:
    told.found["run_page"] = {"nodes": nodes, "figures": [asdict(one) for one in found]}
    tell(
        f"\nThe page of a run of {nodes:,} nodes, {len(found)} visits; medians, and the worst "
        "task\n"
    )
    drawn = median(one.drawn_ms for one in found)
    told.promise("ms until the graph is drawn", drawn, drawn <= 2000, "<= 2,000 ms")
    told.plain("longest task of loading, ms", max(one.longest_task_of_loading_ms for one in found))
    pace = median(one.nodes_a_second for one in found)
    told.plain(f"nodes that ran, a second ({PACE} are meant)", pace)
    frames = median([n for one in found for n in one.frames_in_each_second])
    told.promise("frames a second meanwhile", frames, frames >= 30, ">= 30")
    task = max(one.longest_task_ms for one in found)
    told.promise("longest task meanwhile, ms (0: none of 50)", task, task <= 200, "<= 200 ms")


def _editor(told: Told, found: Sequence[editor_page.Edited], nodes: int) -> None:
    told.found["editor"] = {"nodes": nodes, "figures": [asdict(one) for one in found]}
    tell(f"\nThe editor with {nodes:,} nodes, {len(found)} visits; medians, and the worst tasks\n")
    usable = median(one.usable_ms for one in found)
    told.promise("ms until it can be used", usable, usable <= 2000, "<= 2,000 ms")
    told.plain("ms until the document is checked", median(one.checked_ms for one in found))
    told.plain("longest task of loading, ms", max(one.longest_task_of_loading_ms for one in found))
    told.plain(
        "longest task of dragging a node, ms", max(one.longest_task_of_dragging_ms for one in found)
    )
    told.plain("longest task of typing, ms", max(one.longest_task_of_typing_ms for one in found))
