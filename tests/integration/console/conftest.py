"""People with every role, a workflow and a run of theirs, and another workspace beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from celesta.access import workspaces
from celesta.access.models import Membership, Role, Workspace
from celesta.access.principals import SYSTEM
from celesta.engine.start import start_run
from celesta.runs import connection
from celesta.runs.models import Run
from celesta.workflows import publishing
from celesta.workflows.models import WorkflowVersion

DOCUMENT = """\
workflow: orders.fulfil
title: Fulfil an order
tags: [orders]
params:
  type: object
  required: [order_id]
  properties:
    order_id: {type: integer, minimum: 1}
    express: {type: boolean, default: false}
nodes:
  fetch: {type: transform, with: {output: "{{ params.order_id }}"}}
  lines:
    type: map
    needs: [fetch]
    with: {over: [1, 2, 3], do: {type: transform, with: {output: "{{ item }}"}}}
  pay: {type: transform, needs: [fetch], with: {output: "{{ nodes.fetch.output }}"}}
  ship: {type: transform, needs: [lines, pay], with: {output: 1}}
"""


@pytest.fixture(scope="session", autouse=True)
def _engine_connection(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Close the engine's own connection before the test database is dropped."""
    yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture
def workspace(db: None) -> Workspace:
    return workspaces.default()


@pytest.fixture
def elsewhere(db: None) -> Workspace:
    return Workspace.objects.create(slug="elsewhere", name="Elsewhere")


@pytest.fixture
def version(workspace: Workspace) -> WorkflowVersion:
    return publishing.publish(workspace, DOCUMENT, by=None)


@pytest.fixture
def run(version: WorkflowVersion) -> Run:
    return start_run(version, {"order_id": 7}, principal=SYSTEM).run


@dataclass
class People:
    """Signs in who is asked for, and makes them first when needed."""

    workspace: Workspace
    elsewhere: Workspace

    def client(self, who: str) -> Client:
        """``superuser``, a role, ``stranger`` (of another workspace), ``nobody``, ``guest``."""
        client = Client()
        if who != "guest":
            client.force_login(self.user(who))
        return client

    def user(self, who: str) -> Any:
        staff = who != "outsider"
        model = get_user_model()
        user, _ = model.objects.get_or_create(
            username=who, defaults={"is_staff": staff, "is_superuser": who == "superuser"}
        )
        if who in Role.values:
            Membership.objects.get_or_create(workspace=self.workspace, user=user, role=who)
        if who == "stranger":
            Membership.objects.get_or_create(workspace=self.elsewhere, user=user, role=Role.ADMIN)
        return user


@pytest.fixture
def people(workspace: Workspace, elsewhere: Workspace) -> People:
    return People(workspace, elsewhere)


@pytest.fixture
def client_of(people: People) -> Callable[[str], Client]:
    return people.client
