"""What expressions read, in a real worker: params, vars, run, item and outputs (T3)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest

from celesta.access.models import Workspace
from celesta.access.principals import SYSTEM
from celesta.engine.awaiting import await_run
from celesta.engine.start import start_run
from celesta.runs.models import Output
from celesta.vault.models import Variable
from celesta.workflows.publishing import publish
from tests.processes import WorkerProcess

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_namespace_is_there(worker_process: Callable[..., WorkerProcess]) -> None:
    # Given a workflow that reads all of them,
    workspace, _ = Workspace.objects.get_or_create(slug="default", defaults={"name": "Default"})
    queue = f"names-{uuid4().hex[:8]}"
    variable = f"v{uuid4().hex[:8]}"
    Variable.objects.create(workspace=workspace, name=variable, value={"rate": 19})
    body = {"type": "transform", "with": {"output": "{{ item * index + params.n }}"}}
    document = {
        "workflow": f"names.w{uuid4().hex[:8]}",
        "params": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}},
        "defaults": {"queue": queue},
        "nodes": {
            "each": {"type": "map", "with": {"over": "{{ [5, 6] }}", "do": body}},
            "all": {
                "type": "transform",
                "needs": ["each"],
                "with": {
                    "output": {
                        "params": "{{ params.n }}",
                        "vars": f"{{{{ vars.{variable}.rate }}}}",
                        "run": ["{{ run.id }}", "{{ run.workflow }}", "{{ run.version }}"],
                        "since": "{{ run.started_at }}",
                        "each": "{{ nodes.each.output }}",
                    }
                },
            },
        },
    }
    version = publish(workspace, document, by=None)
    # when a worker runs it,
    worker_process(queues=queue)
    run = await_run(start_run(version, {"n": 7}, principal=SYSTEM).run.pk, [], timeout=60)
    # then each has its value, with its type.
    assert run.state == "succeeded", run.error
    node = version.plan.by_name()["all"].index
    assert run.started_at
    assert Output.objects.get(run_id=run.pk, scope=0, node=node).value == {
        "params": 7,
        "vars": 19,
        "run": [str(run.pk), document["workflow"], 1],
        "since": run.started_at.isoformat(),
        "each": [7, 13],
    }
