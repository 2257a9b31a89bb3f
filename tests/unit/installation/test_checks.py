"""What the system checks tell a project that is not quite ready."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from django.apps import apps
from django.core.checks import run_checks
from django.db import connections
from pytest_django.fixtures import Settings

from celesta import checks
from celesta.engine import canvas


def told() -> dict[str, str]:
    """Ids of ours that Django's own way of checking finds, with their messages."""
    found = [m for m in run_checks() if str(m.id).startswith("celesta.")]
    assert all(message.hint or message.id == "celesta.E001" for message in found)
    return {str(message.id): str(message.msg) for message in found}


def test_the_reference_project_has_nothing_to_do() -> None:
    assert told() == {}


def test_a_misspelt_setting(settings: Settings) -> None:
    settings.CELESTA = {"LEESE": 3}

    assert "did you mean 'LEASE'" in told()["celesta.E001"]


def test_no_time_zones(settings: Settings) -> None:
    settings.USE_TZ = False

    assert set(told()) == {"celesta.E002"}


def test_apps_that_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    there = apps.is_installed
    monkeypatch.setattr(
        apps, "is_installed", lambda name: name not in ("celesta.vault", "django.contrib.admin")
        and there(name),
    )  # fmt: skip

    assert "django.contrib.admin, celesta.vault" in told()["celesta.E003"]


def test_a_database_that_is_not_there(settings: Settings) -> None:
    settings.CELESTA = {"DATABASE": "runs"}

    assert "'runs', which is not in DATABASES" in told()["celesta.E004"]


def test_a_database_that_is_not_postgresql(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections["default"], "vendor", "sqlite")

    assert told()["celesta.E004"].endswith("database 'default' is sqlite.")


def test_models_that_go_elsewhere(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.db.router.db_for_write", lambda *_a, **_k: "other")

    assert "written to database 'other'" in told()["celesta.E005"]


@pytest.mark.parametrize(("version", "found"), [((13, 20), ["celesta.E006"]), ((14, 0), [])])
def test_an_old_server(
    version: tuple[int, int], found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections["default"], "get_database_version", lambda: version)

    assert [m.id for m in checks.server_is_recent(databases=["default"])] == found
    assert checks.server_is_recent(databases=None) == []


def test_a_celery_app_that_does_not_know_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "_installed", [])

    assert set(told()) == {"celesta.W001"}


def test_a_celery_app_that_refuses_our_messages(app: Celery) -> None:
    app.conf.update(accept_content=["pickle"])
    assert set(told()) == {"celesta.E007"}

    app.conf.update(accept_content=["pickle", "application/json"])
    assert told() == {}


def test_a_celery_app_that_sends_nothing(app: Celery) -> None:
    app.conf.update(task_always_eager=True)

    assert set(told()) == {"celesta.W003"}


def test_a_default_queue_that_celery_may_not_make(app: Celery, settings: Settings) -> None:
    queues: list[Any] = [SimpleNamespace(name="shop")]
    app.conf.update(task_create_missing_queues=False, task_queues=queues)
    assert "Queue 'celery'" in told()["celesta.W004"]

    settings.CELESTA = {"DEFAULT_QUEUE": "shop"}
    assert told() == {}


def test_no_address(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.unit.installation.no_urls"

    assert set(told()) == {"celesta.W002"}
