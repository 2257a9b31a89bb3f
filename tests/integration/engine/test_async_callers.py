"""Starting and awaiting runs in `async` code (X17)."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.db import connections, transaction
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient
from django.urls import path
from pytest_django.fixtures import Settings

import celesta
from celesta.access import workspaces
from celesta.runs.errors import RunNotFound
from celesta.runs.models import Run
from celesta.workflows.errors import WorkflowUnknown
from celesta.workflows.publishing import publish

pytestmark = pytest.mark.django_db(transaction=True)

WORKFLOW = "async.callers"
DOCUMENT = {
    "workflow": WORKFLOW,
    "params": {"type": "object", "properties": {"n": {"type": "integer"}}},
    "nodes": {
        "double": {"type": "transform", "with": {"output": "{{ params.n * 2 }}"}},
        "again": {
            "type": "transform",
            "needs": ["double"],
            "with": {"output": "{{ nodes.double.output * 2 }}"},
        },
    },
    "output": "{{ nodes.again.output }}",
}


async def fulfil(_request: HttpRequest, n: int) -> JsonResponse:
    run = await celesta.astart(WORKFLOW, {"n": n})
    run = await celesta.await_run(run, timeout=30)
    return JsonResponse({"run": str(run.pk), "state": run.state})


urlpatterns = [path("fulfil/<int:n>/", fulfil)]


@pytest.fixture(autouse=True)
def _published() -> None:
    publish(workspaces.default(), DOCUMENT, by=None)


def test_an_async_view_starts_a_run_and_answers_at_its_end(
    worker_process: Callable[..., Any], settings: Settings
) -> None:
    # Given a worker, and a project with an async view,
    worker_process(queues="default", concurrency=1)
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []

    # when it is asked several times at once,
    async def ask() -> list[Any]:
        client = AsyncClient()
        return await asyncio.gather(*(client.get(f"/fulfil/{n}/") for n in range(5)))

    answers = [response.json() for response in async_to_sync(ask)()]
    # then each answer is of a run of its own that has ended.
    assert [answer["state"] for answer in answers] == ["succeeded"] * 5
    assert len({answer["run"] for answer in answers}) == 5
    started = Run.objects.filter(pk__in=[answer["run"] for answer in answers])
    assert sorted(run.params["n"] for run in started) == [0, 1, 2, 3, 4]
    assert {run.trigger for run in started} == {"code"}


def test_many_wait_without_a_thread_each() -> None:
    # Given a run that no worker takes,
    run = celesta.start(WORKFLOW, {"n": 1})
    before = threading.active_count()
    threads = []

    async def look() -> None:
        for _ in range(8):
            await asyncio.sleep(0.1)
            threads.append(threading.active_count())

    async def wait() -> list[Run]:
        waiting = [celesta.await_run(run, timeout=1) for _ in range(100)]
        found, _ = await asyncio.gather(asyncio.gather(*waiting), look())
        return found

    # when a hundred wait for it in one thread,
    began = time.monotonic()
    found = async_to_sync(wait)()
    took = time.monotonic() - began
    # then all have their answer in time, and nothing was held meanwhile.
    print(
        f"100 callers waited 1 s in {took:.2f} s, {max(threads)} threads at most, {before} before"
    )
    assert [each.state for each in found] == ["pending"] * 100
    assert took < 30  # one after the other: 100
    assert max(threads) <= before + 1  # the event loop's own
    assert connections["default"].connection is None


def test_a_start_is_a_part_of_the_callers_transaction() -> None:
    with transaction.atomic():
        run = async_to_sync(celesta.astart)(WORKFLOW, {"n": 1})
        transaction.set_rollback(True)
    assert not Run.objects.filter(pk=run.pk).exists()
    with transaction.atomic():
        run = async_to_sync(celesta.astart)(WORKFLOW, {"n": 1})
        # A look within the transaction leaves it as it is.
        assert async_to_sync(celesta.await_run)(run, timeout=0).state == "pending"
    assert Run.objects.filter(pk=run.pk).exists()


def test_a_replay_answers_the_same_run_and_carries_its_user() -> None:
    users: Any = get_user_model().objects
    ann = users.create_user("ann")

    async def twice() -> list[Run]:
        asked = {"by": ann, "idempotency_key": "order-7"}
        return [await celesta.astart(WORKFLOW, {"n": 7}, **asked) for _ in range(2)]

    one, other = async_to_sync(twice)()
    assert one.pk == other.pk
    assert one.created_by == "ann"


def test_a_state_on_the_way_can_be_awaited() -> None:
    publish(workspaces.default(), DOCUMENT, by=None)

    async def start() -> Run:
        run = await celesta.astart(WORKFLOW, {"n": 1})
        return await celesta.await_run(run.pk, ["pending"], timeout=30)

    began = time.monotonic()
    assert async_to_sync(start)().state == "pending"
    assert time.monotonic() - began < 20


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(WorkflowUnknown):
        async_to_sync(celesta.astart)("no.such.workflow")
    with pytest.raises(RunNotFound):
        async_to_sync(celesta.await_run)(uuid4(), timeout=1)
