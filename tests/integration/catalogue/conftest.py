"""A workspace to export, one to import into, and people who do it."""

from __future__ import annotations

import json

import pytest

from celesta.access.models import Workspace
from celesta.workflows import publishing
from celesta.workflows.activation import set_active, set_paused
from celesta.workflows.models import Workflow
from tests.integration.api.conftest import api as api
from tests.integration.api.conftest import caller as caller
from tests.integration.api.conftest import workspace as workspace
from tests.integration.catalogue.archives import FIRST, SECOND, THIRD
from tests.integration.cli.conftest import manage as manage
from tests.integration.console.conftest import client_of as client_of
from tests.integration.console.conftest import elsewhere as elsewhere
from tests.integration.console.conftest import people as people


@pytest.fixture
def shop(workspace: Workspace) -> Workspace:
    """Two versions with notes and a draft, a switched-off one in JSON, and a draft alone."""
    publishing.publish(workspace, FIRST, by=None, note="the first")
    publishing.publish(workspace, SECOND, by=None, note="twice as much")
    orders = Workflow.objects.get(name="orders.fulfil")
    orders.draft = THIRD
    orders.save()
    stock = {
        "workflow": "stock.count",
        "nodes": {"a": {"type": "transform", "with": {"output": 0}}},
    }
    publishing.publish(workspace, json.dumps(stock), by=None)
    set_paused(set_active(Workflow.objects.get(name="stock.count"), active=False), paused=True)
    Workflow.objects.create(workspace=workspace, name="unfinished", draft="workflow: unfinished\n")
    return workspace
