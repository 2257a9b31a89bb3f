"""Celesta in a team's own project (P5, D14): what is there stays as it is, and its tasks are nodes.

One shop (see `existing_project/README.md`) lives through all of it: before, installed by the lines
of docs/existing-project.md, at work, and after the removal. The tests are in that order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, Route

import celesta
from project.embedded.home import Home
from project.embedded.starting import start
from project.embedded.valkey import Valkey
from project.processes.ending import end_all
from tests.acceptance.looks import TOO_WIDE
from tests.acceptance.shops import GUIDE, SOURCES, Shop, build_wheel
from tests.processes import wait_for
from tests.servers import Servers

OURS = [app for app in celesta.APPS if app.startswith("celesta.")]
LABELS = {app.replace(".", "_") for app in OURS} | {"django_celery_beat"}
TERMINAL = ("succeeded", "failed", "cancelled")
#: Fields and buttons that stand out of the card which they are in.
BEYOND_CARDS = """() => [...document.querySelectorAll('.celesta .card :is(input, select, button)')]
  .filter((one) => !one.closest('.scroll') && one.getBoundingClientRect().right
    > one.closest('.card').getBoundingClientRect().right)
  .map((one) => one.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def results_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis for the shop's results, whatever the broker is."""
    home = Home(tmp_path_factory.mktemp("results"))
    home.prepare()
    valkey = Valkey(home)
    child = start(valkey, home.run)
    yield valkey.url
    end_all([child.record])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, servers: Servers, broker_url: str, results_url: str
) -> Iterator[Shop]:
    directory = tmp_path_factory.mktemp("a shop")
    with Shop(directory, servers.database_url, broker_url, results_url).open() as shop:
        yield shop


@pytest.fixture(scope="module")
def before(shop: Shop) -> dict[str, Any]:
    """What there is before: the shop's facts, and the names in its database."""
    shop.manage("migrate", "-v", "0")
    shop.manage("collectstatic", "--noinput", "-v", "0")
    return {"facts": shop.probe("facts"), "names": shop.names()}


@pytest.fixture(scope="module")
def installed(shop: Shop, before: dict[str, Any], wheel: Path) -> Shop:
    shop.install(wheel)
    shop.manage("migrate", "-v", "0")
    shop.manage("collectstatic", "--noinput", "-v", "0")
    return shop


@pytest.fixture(scope="module")
def working(installed: Shop) -> Shop:
    installed.manage("workflow", "publish", str(SOURCES / "celesta" / "fulfil.yaml"))
    installed.start_workers()
    return installed


def test_the_wheel_holds_both_packages_and_their_files(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {
        "celesta",
        "celesta_worker",
    }
    for pattern in (
        r"celesta/runs/sql/complete_v1\.sql",
        r"celesta/console/templates/celesta_console/run\.html",
        r"celesta/console/static/celesta/console\.css",
        r"celesta/console/static/celesta/built/(editor\.js|pages\.css)",
        r"celesta/console/static/celesta/built/licenses\.md",
        r"celesta/runs/migrations/0001_initial\.py",
        r"celesta_worker/nodes/celery\.py",
        r"celesta_worker/py\.typed",
    ):
        assert any(re.fullmatch(pattern, name) for name in names), pattern


def test_before_its_own_tests_pass_without_celesta(shop: Shop, before: dict[str, Any]) -> None:
    found = "import importlib.util; print(importlib.util.find_spec('celesta'))"
    assert shop.run("-c", found).strip() == "None"
    assert not [name for name in before["names"] if "celesta" in name]

    shop.own_tests()


def test_its_own_tests_pass_with_celesta(installed: Shop) -> None:
    place = installed.run("-c", "import celesta; print(celesta.__file__)").strip()
    assert place.startswith(str(installed.directory))

    installed.own_tests()


def test_django_finds_nothing_to_do(installed: Shop) -> None:
    installed.manage("check", "--database", "default", "--fail-level", "WARNING")
    installed.manage("makemigrations", "--check")
    installed.manage("migrate", "--check")
    installed.manage("spectacular", "--validate", "--fail-on-warn")


def test_nothing_of_its_own_has_changed(installed: Shop, before: dict[str, Any]) -> None:
    old, new = before["facts"], installed.probe("facts")

    # What came is Celesta's own,
    assert new.pop("installed_apps") == old.pop("installed_apps") + celesta.APPS
    assert new.pop("addresses") == [*old.pop("addresses"), "celesta/"]
    sections = new["admin"]["sections"]
    assert {label for label in sections if label not in old["admin"]["sections"]} <= LABELS
    new["admin"]["sections"] = {k: v for k, v in sections.items() if k not in LABELS}
    assert new["celery"].pop("steps") == {
        "worker": ["celesta_worker.drain:Drain", "celesta_worker.keeper:Keeper"],
        "consumer": ["celesta_worker.intake:Intake"],
    }
    assert old["celery"].pop("steps") == {}
    for kind in ("tasks", "limits", "routes"):
        came = set(new["celery"][kind]) - set(old["celery"][kind])
        assert came == {"celesta.advance", "celesta.report", "celesta.tick"}
        new["celery"][kind] = {k: v for k, v in new["celery"][kind].items() if k not in came}
    # and all else is as it was: settings, admin, REST framework, OpenAPI, Celery, logging.
    assert list(differences(old, new)) == []


def test_its_tasks_run_as_nodes_on_its_own_workers(working: Shop) -> None:
    # Given a start within the shop's transaction that is rolled back, and one that is not,
    started = working.probe("start")
    run, order = started["run"], started["order"]
    wait_for(lambda: state_of(working, run) in TERMINAL, 60, lambda: history(working, run))

    # then only the second one is there, with what it belongs to,
    assert working.rows("SELECT id::text FROM celesta_run") == [(run,)]
    assert working.rows("SELECT id, state, tries FROM orders_order") == [(order, "paid", 3)]
    # and it went to its end over the shop's queues: a bound task that retries itself, one that
    # takes longer than the shop's own limits, and two of a worker that has no Celesta.
    [(state, output)] = working.rows("SELECT state, output FROM celesta_run")
    assert state == "succeeded", history(working, run)
    assert output == {
        "price": 480,
        "reserved": {"tries": 3, "task": "apps.orders.tasks.reserve", "base": "Task"},
        "lingered_in": "apps.orders.tasks.linger",
        "invoice": {"invoice": f"R-{order}", "cents": 480},
        "apology": f"ValueError: order {order} has no address",
    }
    assert "apps.orders.tasks.settle" in working.log("payments")
    assert "billing.invoice" in working.log("billing")
    assert "celesta" not in working.log("billing").partition("ready.")[0]


def test_its_own_canvas_and_results_work_beside_it(working: Shop) -> None:
    assert working.probe("own_tasks") == {
        "delay": 42,
        "chain": 8,
        "chord": 20,
        "nested": 12,
        "other_queue": 480,
        "time_limit": "SoftTimeLimitExceeded",
        "revoked": "TaskRevokedError",
    }


@pytest.fixture(scope="module")
def asked(working: Shop) -> dict[str, Any]:
    """What each page and address answered, by its path."""
    answers: dict[str, Any] = working.probe("pages")
    return answers


def test_the_pages_and_the_api_do_not_take_its_defaults(asked: dict[str, Any]) -> None:
    asked = dict(asked)
    # Given the shop's login for all, one request a day, envelopes, apologies and German numbers,
    missing, refused = asked.pop("/celesta/api/v1/nowhere/"), asked.pop("no token")
    # then every page answers,
    redirected = [path for path, answer in asked.items() if answer["status"] == 302]
    assert all("/admin/celesta_" in path for path in redirected), redirected
    wrong = {path: a["status"] for path, a in asked.items() if a["status"] not in (200, 302)}
    assert wrong == {}
    # the API in its own shape,
    assert (refused["status"], missing["status"]) == (401, 404)
    assert missing["type"] == "application/problem+json"
    api = [answer["text"] for path, answer in asked.items() if "/api/" in path]
    assert not any('{"shop"' in text or "sorry" in text for text in api)
    assert re.search(
        r'"created_at":"\d{4}-\d\d-\d\dT[\d:.]+Z"', asked["/celesta/api/v1/runs/"]["text"]
    )
    assert '"title":"Celesta"' in asked["/celesta/api/schema/"]["text"]
    assert "x-shop" not in asked["/celesta/api/schema/"]["text"]
    # and drawings with the numbers of SVG.
    drawings = [answer["text"] for answer in asked.values() if "translate(" in answer["text"]]
    assert drawings
    assert not any(re.search(r"translate\([^)]*,", text) for text in drawings)


@pytest.mark.browser
def test_its_pages_fit_a_phone_under_the_stock_admin(
    working: Shop, asked: dict[str, Any], browser: Browser
) -> None:
    texts = {
        path: answer["text"]
        for path, answer in asked.items()
        if answer["type"] == "text/html" and 'class="celesta"' in answer["text"]
    }
    assert len(texts) > 10

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        file = working.site / "collected" / path.rpartition("/files/")[2]
        if path in texts:
            route.fulfill(body=texts[path], content_type="text/html")
        elif "/files/" in path and file.is_file():
            route.fulfill(path=file)
        else:
            route.fulfill(status=204)

    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.route("**/*", answer)
    wrong = []
    for path in texts:
        page.goto(f"http://shop.example{path}")
        if wide := page.evaluate(TOO_WIDE):
            wrong.append(f"{path}: {wide}")
        if shown := page.locator(".celesta [hidden]:visible").count():
            wrong.append(f"{path}: {shown} hidden elements can be seen")
        wrong += [f"{path}: {one} reaches out of its card" for one in page.evaluate(BEYOND_CARDS)]
    assert wrong == []


def test_removed_it_leaves_nothing_behind(working: Shop, before: dict[str, Any]) -> None:
    working.stop()
    # Given the commands of the guide,
    removal = GUIDE.read_text().partition("## Removal")[2]
    zero = re.findall(r"manage\.py migrate (\w+) zero", removal)
    assert zero
    for label in zero:
        working.manage("migrate", label, "zero", "-v", "0")
    # when the lines and the wheel are gone,
    working.uninstall()
    working.manage("remove_stale_contenttypes", "--include-stale-apps", "--noinput", "-v", "0")

    # then the database is as it was, and so is the project.
    assert working.names() == before["names"]
    left = "SELECT app_label FROM django_content_type WHERE app_label ~ 'celesta|beat'"
    assert working.rows(left) == []
    working.manage("check", "--fail-level", "WARNING")
    working.manage("makemigrations", "--check")


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Where two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key), new.get(key), f"{path}.{key}")
    elif old != new:
        yield f"{path}: {old!r} became {new!r}"


def state_of(shop: Shop, run: str) -> str:
    [(state,)] = shop.rows("SELECT state FROM celesta_run WHERE id = %s", run)
    return str(state)


def history(shop: Shop, run: str) -> str:
    query = "SELECT at, kind, node, attempt, data FROM celesta_event WHERE run_id = %s ORDER BY id"
    return "\n".join([*map(str, shop.rows(query, run)), shop.log("shop")])
