"""What ``celesta.install(app)`` leaves as it is, and what it keeps from the engine's tasks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery, Task
from celery.backends.cache import CacheBackend
from pytest_django.fixtures import Settings

import celesta
from celesta.engine import canvas
from celesta.engine.backend import DurableBackend
from celesta_worker import tasks
from celesta_worker.install import DRAIN, INTAKE, KEEPER

NAMES = ("celesta.advance", "celesta.report", "celesta.tick")


class ShopTask(Task):  # type: ignore[type-arg]
    abstract = True


def test_installing_reads_no_configuration(app: Celery) -> None:
    # Given an app whose settings cannot be read yet: they import the module that makes the app,
    app.config_from_object("no_such_module")
    # when Celesta is installed, twice, then nothing has asked for them.
    celesta.install(app)
    celesta.install(app)
    seen: Any = app
    assert not seen.configured
    assert not seen.finalized
    assert app.steps["worker"] == {KEEPER, DRAIN}
    assert app.steps["consumer"] == {INTAKE}


def test_a_projects_limits_and_classes_are_for_its_own_tasks(app: Celery) -> None:
    # Given an app that limits every task,
    app.conf.update(
        task_time_limit=3,
        task_soft_time_limit=2,
        task_default_rate_limit="1/m",
        task_annotations={"*": {"time_limit": 1}},
        task_acks_late=True,
        task_serializer="pickle",
    )
    vars(app)["task_cls"] = ShopTask
    celesta.install(app)

    @app.task
    def own() -> None: ...

    # then its own tasks have its limits and its class,
    assert isinstance(app.tasks[own.name], ShopTask)
    assert (app.tasks[own.name].time_limit, app.tasks[own.name].rate_limit) == (1, "1/m")
    # and the engine's have neither: a message of theirs stands for many nodes.
    for name in NAMES:
        task = app.tasks[name]
        assert not isinstance(task, ShopTask)
        assert (task.time_limit, task.soft_time_limit, task.rate_limit) == (None, None, None)
        assert (task.acks_late, task.serializer) == (False, "json")


def test_a_pools_own_limits_do_not_reach_the_engine(app: Celery) -> None:
    celesta.install(app)

    tasks.unbound(SimpleNamespace(app=app, time_limit=30, soft_time_limit=None))

    # A task without a limit would get the pool's: so these get one that never comes.
    task = app.tasks["celesta.advance"]
    assert (task.time_limit, task.soft_time_limit) == (tasks.TEN_YEARS, None)


def test_results_of_the_project_stay_where_they_are(app: Celery) -> None:
    app.conf.update(result_backend="cache+memory://")
    celesta.install(app)

    assert isinstance(app.backend, CacheBackend)
    assert all(isinstance(app.tasks[name].backend, DurableBackend) for name in NAMES)


@pytest.mark.parametrize(
    ("celesta_settings", "default", "payments"),
    [
        ({}, "shop", "payments"),
        ({"DEFAULT_QUEUE": "flows"}, "flows", "payments"),
        ({"QUEUE_PREFIX": "team."}, "team.default", "team.payments"),
        ({"QUEUE_PREFIX": "team.", "DEFAULT_QUEUE": "flows"}, "flows", "team.payments"),
    ],
)
def test_the_brokers_names_of_a_documents_queues(
    celesta_settings: dict[str, Any], default: str, payments: str, app: Celery, settings: Settings
) -> None:
    settings.CELESTA = celesta_settings
    app.conf.update(task_default_queue="shop")

    assert canvas.queue_name("default") == default
    assert canvas.queue_name("payments") == payments
    # and a worker that listens to them knows both as documents do.
    assert "default" in canvas.document_queues(default)
    assert canvas.document_queues(payments) == ["payments"]


def test_a_worker_does_not_take_a_name_for_a_queue_that_is_another(
    app: Celery, settings: Settings
) -> None:
    # Given an app with a queue that is called "default" and is not its default one,
    app.conf.update(task_default_queue="shop")
    # then its listeners serve no document's queue, for documents mean the other by that name.
    assert canvas.document_queues("default") == []
    assert canvas.document_queues("shop") == ["default", "shop"]
    # With a prefix, a queue without it is somebody else's.
    settings.CELESTA = {"QUEUE_PREFIX": "team."}
    assert canvas.document_queues("payments") == []


def test_no_route_of_the_project_moves_a_message(app: Celery) -> None:
    # Given a catch-all route with an exchange and a key of its own,
    app.conf.update(task_routes={"*": {"queue": "x", "exchange": "y", "routing_key": "z"}})

    signature = canvas.node_signature("r", 0, 0, "payments", 4, "task")
    route = app.amqp.router.route(dict(signature.options), str(signature.task))

    # then a message goes where the document says.
    assert route["queue"].name == "payments"
    assert (route["exchange"], route["routing_key"]) == ("", "payments")


def test_a_queue_that_celery_may_not_make_is_told_and_holds_up_nobody(
    app: Celery, caplog: pytest.LogCaptureFixture
) -> None:
    app.conf.update(
        broker_url="memory://", task_create_missing_queues=False, task_default_queue="shop"
    )
    celesta.install(app)
    lost, fine = (
        canvas.node_signature("r", 0, n, queue, 4, "task")
        for n, queue in enumerate(["nowhere", "default"])
    )

    assert canvas.send([lost, fine])

    assert "'nowhere' missing from task_queues" in caplog.text
    with app.connection_for_read() as connection:
        assert connection.SimpleQueue("shop").get(block=False)


def test_messages_go_to_the_broker_of_the_app_installed_last(app: Celery) -> None:
    # Given a process that has published through one app already,
    app.conf.update(broker_url="memory://first", task_default_queue="here")
    celesta.install(app)
    assert canvas.send([canvas.node_signature("r", 0, 0, "default", 4, "task")])

    # when Celesta is installed on another,
    other = Celery("other", broker="memory://", set_as_current=False)
    other.conf.task_default_queue = "there"
    celesta.install(other)
    assert canvas.send([canvas.node_signature("r", 0, 1, "default", 4, "task")])

    # then what follows travels by that one's connection.
    assert canvas._publisher.app is other


def test_another_app_in_the_process_gets_none_of_our_tasks(app: Celery) -> None:
    celesta.install(app)
    other = Celery("other", set_as_current=False)

    assert not any(name.startswith("celesta.") for name in other.tasks)
