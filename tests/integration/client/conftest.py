"""A real web process and a real worker, an admin's token, and the command line as users call it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from pytest_django.plugin import DjangoDbBlocker

from celesta.access import tokens, workspaces
from celesta.access.models import Role
from celesta.client import Celesta
from celesta.runs import connection as hot
from tests.processes import PATH, WorkerProcess
from tests.webs import WebProcess

DOCUMENT = """\
workflow: orders.fulfil
title: Fulfil an order
params:
  type: object
  required: [order_id]
  properties:
    order_id: {type: integer}
    zip: {type: string}
    pause: {type: string, default: 0s}
nodes:
  fetch: {type: transform, with: {output: "{{ params.order_id }}"}}
  rest: {type: wait, needs: [fetch], with: {for: "{{ params.pause }}"}}
  ship: {type: transform, needs: [rest], with: {output: "{{ 10 / nodes.fetch.output }}"}}
output: "{{ nodes.ship.output }}"
"""


@dataclass
class Service:
    """Where it is, and a token that may do everything."""

    url: str
    token: str


@pytest.fixture(scope="module")
def service(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """One for the module: it commits for real, and the tables are emptied at its end."""
    directory = tmp_path_factory.mktemp("service")
    with django_db_blocker.unblock():
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
        user = get_user_model().objects.create_superuser("root")
        secret = tokens.issue(user, workspaces.default(), Role.ADMIN, "client")[1]
        web = WebProcess("web", directory).start()
        worker = WorkerProcess("worker", directory)
        worker.start()
        worker.wait_ready(60)
        yield Service(web.url, secret)
        worker.stop()
        web.stop()
        hot.close()
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


@pytest.fixture
def client(service: Service) -> Iterator[Celesta]:
    with Celesta(service.url, service.token) as client:
        client.workflows.publish("orders.fulfil", DOCUMENT)
        yield client


@dataclass
class Done:
    """What a command printed and how it ended."""

    code: int
    text: str
    error: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.text)

    @property
    def lines(self) -> list[Any]:
        return [orjson.loads(line) for line in self.text.splitlines()]


@pytest.fixture
def celesta(service: Service, tmp_path: Path) -> Callable[..., Done]:
    """Calls ``celesta <words>`` in a process of its own, in which there is no Django."""

    def call(*words: str, stdin: str = "", **variables: str) -> Done:
        kept = {name: value for name, value in os.environ.items() if "DJANGO" not in name}
        env = {
            **kept,
            "PYTHONPATH": PATH,
            "CELESTA_URL": service.url,
            "CELESTA_TOKEN": service.token,
            "CELESTA_PROFILE": str(tmp_path / "profile.json"),
            **variables,
        }
        command = [sys.executable, "-m", "celesta.client.cli.main", *words]
        done = subprocess.run(
            command, env=env, input=stdin, capture_output=True, text=True, timeout=120, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return call
