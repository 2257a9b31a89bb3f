"""The examples run to their ends on a real worker."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from celesta.access.principals import SYSTEM
from celesta.access.workspaces import default
from celesta.artifacts.models import Artifact
from celesta.artifacts.store import open_artifact
from celesta.engine.awaiting import await_run
from celesta.engine.start import start_run
from celesta.runs.models import NodeRun, Output, Run
from celesta.workflows.models import Workflow
from project.demo import examples
from project.demo.story import Story
from tests.unit.examples.conftest import Site

PATIENCE = 60.0

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _worker(
    worker_process: Callable[..., Any],
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = str(tmp_path / "artifacts")
    settings.CELESTA = {**settings.CELESTA, "ARTIFACT_ROOT": root}
    monkeypatch.setenv("CELESTA_HOME", str(tmp_path / "home"))
    worker_process(concurrency=2, env={"ARTIFACT_ROOT": root})


@pytest.fixture
def run() -> Callable[..., Run]:
    """Publishes the examples, runs one of them and waits for its end."""

    def run_example(name: str, **params: Any) -> Run:
        admin, _ = User.objects.get_or_create(username="author", is_superuser=True)
        examples.publish_all(default(), admin)
        version = Workflow.objects.get(name=name).current
        assert version
        run = start_run(version, params, principal=SYSTEM).run
        return await_run(run.pk, {"succeeded"}, PATIENCE)

    return run_example


def output(run: Run) -> Any:
    """What a run that succeeded ended with."""
    assert run.state == "succeeded", run.error
    return run.output


@pytest.fixture
def packages(tmp_path: Path) -> Site:
    place = tmp_path / "site-packages"
    place.mkdir()
    site = Site(place)
    for name in ("alpha", "beta", "gamma"):
        site.install(name, {f"{name}/__init__.py": b"VALUE = 1\n"})
    return site


def test_the_audit_reports_a_planted_corrupt_file(run: Callable[..., Run], packages: Site) -> None:
    packages.write("beta/__init__.py", b"VALUE = 2\n")
    packages.write("planted.py", b"x")

    ended = run("examples.package_audit", paths=[str(packages.place)])

    told = output(ended)
    assert told["findings"][0] == (
        "1 file not as installed: beta/__init__.py of beta (changed); "
        "1 file belongs to no distribution."
    )
    assert (told["distributions"], told["faults"], told["unowned"]) == (3, 1, 1)
    report = Artifact.objects.get(pk=told["report"]["artifact"])
    assert (report.run_id, report.node_name, report.content_type) == (
        ended.pk,
        "report",
        "text/html; charset=utf-8",
    )
    assert "beta/__init__.py" in open_artifact(report).read().decode()
    table = Artifact.objects.get(pk=told["table"]["artifact"])
    assert len(open_artifact(table).read().decode().splitlines()) == 1 + 3
    assert NodeRun.objects.filter(run=ended, scope__gt=0).count() == 3


def test_a_folder_that_is_not_there_fails_the_audit_with_its_name(run: Callable[..., Run]) -> None:
    ended = run("examples.package_audit", paths=["/no/such/folder"])
    assert ended.state == "failed"
    found = Output.objects.get(run=ended, scope=0, node=0)
    assert "'/no/such/folder' is not a folder on this worker" in str(found.error)


def test_celesta_finds_itself_well(
    run: Callable[..., Run], live_server: LiveServer, settings: Settings
) -> None:
    settings.PUBLIC_URL = live_server.url
    ended = run("examples.http_checks", pause="200ms")
    assert output(ended) == {"verdict": "well", "health": 200}


def test_an_order_is_shipped_by_untouched_tasks(run: Callable[..., Run]) -> None:
    ended = run("examples.order", order_id=7, items=["tea", "cup"])
    assert output(ended) == {"parcel": "P000007", "items": 2, "paid": 1740}


def test_the_demonstration_tells_its_story(
    packages: Site, tmp_path: Path, settings: Settings
) -> None:
    settings.PUBLIC_URL = "http://testserver"
    out = StringIO()
    Story(out, timeout=PATIENCE, paths=[str(packages.place)]).tell()
    told = out.getvalue()
    assert "3 there, 3 published now" in told
    assert "All 6 files with a recorded hash are as installed." in told
    assert told.count("    - ") == 3
    report = tmp_path / "home" / "package-audit.html"
    assert str(report) in told
    assert "<h1>Package audit</h1>" in report.read_text()
    link = next(word for word in told.split() if "/welcome/" in word)
    opened = Client().get(link.removeprefix("http://testserver"))
    assert str(Run.objects.get().pk) in opened["Location"]
