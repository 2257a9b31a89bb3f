"""Health addresses: what they say of each part."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from celery import Celery
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from celesta.api import health
from celesta.engine import canvas
from celesta.runs.models import Slot


@pytest.fixture
def worker(db: None) -> Slot:
    now = timezone.now()
    return Slot.objects.create(
        worker="w@host", pid=1, queues=["default"], lease_until=now + timedelta(minutes=1),
        started_at=now,
    )  # fmt: skip


def test_live_asks_nobody() -> None:
    with patch.object(BaseDatabaseWrapper, "cursor", side_effect=OperationalError):
        assert Client().get("/health/live").json() == {"status": "ok"}


def test_ready_when_every_part_works(worker: Slot) -> None:
    answer = Client().get("/health/ready")

    parts = {"database": "ok", "migrations": "ok", "broker": "ok", "workers": "ok"}
    assert answer.json() == {"status": "ok", "parts": parts}
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_part_that_is_named_often_is_asked_once(worker: Slot) -> None:
    asked: list[str] = []

    def database() -> str:
        asked.append("database")
        return "ok"

    with patch.dict(health.CHECKS, {"database": database}):
        answer = Client().get("/health/ready?parts=" + ",".join(["database"] * 500))

    assert answer.json()["parts"] == {"database": "ok"}
    assert asked == ["database"]


def test_not_ready_without_a_live_worker(worker: Slot) -> None:
    Slot.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    answer = Client().get("/health/ready")

    assert answer.status_code == 503
    assert "Start one" in answer.json()["parts"]["workers"]
    assert answer.json()["parts"]["database"] == "ok"


def test_not_ready_without_the_broker(worker: Slot) -> None:
    nobody = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    with patch.object(canvas, "app", return_value=nobody):
        answer = Client().get("/health/ready")

    assert answer.status_code == 503
    assert "broker cannot be reached" in answer.json()["parts"]["broker"]


def test_not_ready_without_the_database() -> None:
    with patch.object(BaseDatabaseWrapper, "cursor", side_effect=OperationalError("secret host")):
        answer = Client().get("/health/ready?parts=database,migrations,workers")

    assert answer.status_code == 503
    assert set(answer.json()["parts"]) == {"database", "migrations", "workers"}
    assert "ok" not in answer.json()["parts"].values()
    assert b"secret" not in answer.content


def test_not_ready_before_migrations(worker: Slot) -> None:
    MigrationRecorder.Migration.objects.filter(app="celesta_workflows").delete()

    assert "manage.py migrate" in Client().get("/health/ready").json()["parts"]["migrations"]


def test_only_what_is_asked_for_counts(db: None) -> None:
    answer = Client().get("/health/ready?parts=database,migrations")

    assert answer.status_code == 200
    assert set(answer.json()["parts"]) == {"database", "migrations"}


@pytest.mark.parametrize("parts", ["nothing", "", "database,databse", "%00"])
def test_a_part_that_is_none_is_told_instead_of_passed_over(db: None, parts: str) -> None:
    answer = Client().get(f"/health/ready?parts={parts}")

    assert answer.status_code == 400
    assert "known: database, migrations, broker, workers" in str(answer.json()["parts"])


def test_other_methods_are_405() -> None:
    careful = Client(enforce_csrf_checks=True)

    assert [careful.post(f"/health/{kind}").status_code for kind in ("live", "ready")] == [405, 405]
