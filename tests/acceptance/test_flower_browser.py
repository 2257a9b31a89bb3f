"""A person watches the workers in Flower: every node is there under its own name.

Celesta as `make up` starts it, with its worker, its Flower and its password; a real Chromium.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from project import ROOT
from tests.processes import wait_for
from tests.supervising import Up, environment

pytestmark = pytest.mark.browser

ORDERS = """\
workflow: watched.orders
nodes:
  fetch: {type: transform, with: {output: 7}}
  check: {type: transform, needs: [fetch], with: {output: "{{ nodes.fetch.output + 1 }}"}}
  pack: {type: transform, needs: [check], with: {output: packed}}
  gift: {type: transform, needs: [pack], when: "1 == 2", with: {output: wrapped}}
  lines:
    type: map
    needs: [pack]
    with: {over: [1, 2, 3], do: {type: transform, with: {output: "{{ item }}"}}}
  hold: {type: wait, needs: [lines], with: {for: 500ms}}
  ship: {type: transform, needs: [hold], with: {output: "{{ [1][nodes.fetch.output] }}"}}
"""
WIDE_NODES = 200
COLUMNS = ("name", "uuid", "state", "received", "runtime", "worker")
WIDE = json.dumps(
    {
        "workflow": "watched.wide",
        "nodes": {
            **{f"n{i}": {"type": "transform", "with": {"output": i}} for i in range(WIDE_NODES)},
            "join": {
                "type": "transform",
                "needs": [f"n{i}" for i in range(WIDE_NODES)],
                "with": {"output": "joined"},
            },
        },
    }
)


@pytest.fixture(scope="module")
def celesta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Return a Celesta that is up, and on which both workflows have run."""
    up = Up(tmp_path_factory.mktemp("watched") / "home").start().wait_up()
    try:
        for document in (ORDERS, WIDE):
            manage(up, "workflow", "publish", "-", given=document)
        for workflow in ("watched.orders", "watched.wide"):
            manage(up, "run", "start", workflow)
        wait_for(lambda: states(up) == {"failed", "succeeded"}, told=lambda: str(states(up)))
        yield up
    finally:
        up.erase()


def manage(up: Up, *arguments: str, given: str = "") -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(up.home, {}),
        input=given,
        check=True,
        capture_output=True,
        text=True,
    )


def asked(up: Up, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(up.database_url()) as connection:
        return connection.execute(query.encode()).fetchall()


def states(up: Up) -> set[str]:
    return {state for (state,) in asked(up, "SELECT state FROM celesta_run")}


@pytest.fixture
def flower(browser: Browser, celesta: Up) -> Page:
    """Return Flower's page of tasks, signed in."""
    password = (celesta.home / "secrets" / "flower").read_text()
    page = browser.new_page(
        base_url=celesta.published["FLOWER_URL"],
        http_credentials={"username": "celesta", "password": password},
        viewport={"width": 1600, "height": 900},
    )
    page.goto("/tasks")
    return page


def search(page: Page, text: str, found: int) -> None:
    """Look for a text, with a hundred tasks a page."""
    page.locator("#tasks-table_length select").select_option("100")
    page.get_by_role("searchbox").fill(text)
    shown = re.compile(rf"of {found} tasks")
    expect(page.locator("#tasks-table_info")).to_have_text(shown)


def rows(page: Page) -> list[dict[str, str]]:
    """The table as shown, by the names of its columns."""
    table: list[list[str]] = page.locator("#tasks-table tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.innerText.trim()))"
    )
    return [dict(zip(COLUMNS, cells, strict=True)) for cells in table]


def is_seconds(text: str) -> bool:
    return re.fullmatch(r"[\d.]+(e-\d+)?( ?m?s(ec)?)?", text) is not None


@pytest.mark.parametrize("path", ["/", "/tasks", "/api/tasks", "/tasks/datatable"])
def test_flower_is_for_those_who_know_its_password(celesta: Up, path: str) -> None:
    assert celesta.get(path, "FLOWER_URL").status_code == 401
    wrong = ("celesta", "celesta")
    assert celesta.get(path, "FLOWER_URL", auth=wrong).status_code == 401


def test_every_node_is_there_under_its_own_name(celesta: Up, flower: Page) -> None:
    # Given nodes that were continued inside one Celery task,
    continued = asked(celesta, "SELECT count(*) FROM celesta_node_run WHERE via = 'continued'")
    assert continued[0][0] >= 2
    # then each is there with its state and how long it took: failed, skipped and waiting ones,
    search(flower, "watched.orders", 10)
    found = rows(flower)
    seen = sorted((row["name"], row["state"]) for row in found)
    assert seen == [
        ("watched.orders.check", "SUCCESS"),
        ("watched.orders.fetch", "SUCCESS"),
        ("watched.orders.gift", "SUCCESS"),
        ("watched.orders.hold", "SUCCESS"),
        ("watched.orders.lines", "SUCCESS"),
        *[("watched.orders.lines.do", "SUCCESS")] * 3,
        ("watched.orders.pack", "SUCCESS"),
        ("watched.orders.ship", "FAILURE"),
    ]
    assert all(is_seconds(row["runtime"]) for row in found)
    # and one opens with what it failed of, and of which run.
    (failed,) = (row for row in found if row["state"] == "FAILURE")
    flower.locator("#tasks-table a").filter(has_text=failed["uuid"]).click()
    expect(flower.locator("body")).to_contain_text("[1] has 1 items")
    expect(flower.locator("body")).to_contain_text("run=")


def test_all_nodes_of_a_wide_lane_are_there(celesta: Up, flower: Page) -> None:
    # Given a wave that travelled as a few lanes: far fewer Celery tasks than nodes,
    log = (celesta.home / "logs" / "worker.log").read_text()
    assert log.count("Task celesta.advance[") < WIDE_NODES / 2  # two lines for each
    # then each of its nodes is there.
    search(flower, "watched.wide", WIDE_NODES + 1)
    names = set()
    for page in range(3):
        if page:
            flower.locator("#tasks-table_paginate .next, .dt-paging-button.next").first.click()
            expect(flower.locator("#tasks-table_info")).to_contain_text(f"Showing {page * 100 + 1}")
        found = rows(flower)
        names |= {row["name"] for row in found}
        assert {row["state"] for row in found} == {"SUCCESS"}
        assert all(is_seconds(row["runtime"]) for row in found)
    assert names == {f"watched.wide.n{i}" for i in range(WIDE_NODES)} | {"watched.wide.join"}
