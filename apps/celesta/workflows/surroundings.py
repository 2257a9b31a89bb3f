"""What a document is checked against beyond itself: its workspace's variables, the live queues.

Both belong to rooms above this one, so their models are reached by name.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.db.models.functions import Now

from celesta import conf
from celesta.access.models import Workspace
from celesta.graph.plan import NONE, Plan, PlanNode
from celesta.graph.problems import Problem


def variable_names(workspace: Workspace) -> set[str]:
    """Names that expressions of this workspace may read as ``vars.<name>``."""
    variables = apps.get_model("celesta_vault", "Variable")
    return set(variables.objects.filter(workspace=workspace).values_list("name", flat=True))


def live_queues() -> set[str]:
    """Names, as documents know them, of all queues that some live worker slot listens to."""
    slots = apps.get_model("celesta_runs", "Slot")
    served = slots.objects.filter(lease_until__gt=Now()).values_list("queues", flat=True)
    return {queue for queues in served for queue in queues}


def unheard_queues(plan: Plan) -> list[Problem]:
    """A warning per queue of the plan that nobody listens to.

    Silent when no worker lives at all: then it says nothing about the document.
    """
    live = live_queues()
    if not live:
        return []
    by_queue: dict[str, list[PlanNode]] = {}
    for node in plan.nodes:
        if not node.auto and node.queue not in live:
            by_queue.setdefault(node.queue, []).append(node)
    return [_unheard(plan, queue, nodes, live) for queue, nodes in by_queue.items()]


def _unheard(plan: Plan, queue: str, nodes: list[PlanNode], live: Iterable[str]) -> Problem:
    more = f" and {len(nodes) - 1} more" if len(nodes) > 1 else ""
    return Problem(
        code="unknown_queue",
        path=_path(plan, nodes[0]),
        message=f"No live worker listens to queue {queue!r}, which {nodes[0].name!r}{more} needs.",
        hint=f"{_cure(queue)}, or use one of: {', '.join(sorted(live))}.",
        severity="warning",
    )


def _cure(queue: str) -> str:
    """What to start. A worker is told the broker's name; for `default` that may be Celery's own."""
    prefix, default = conf.get("QUEUE_PREFIX"), conf.get("DEFAULT_QUEUE")
    if queue == "default" and not prefix and not default:
        return "Start a worker on the default queue of your Celery app"
    return f"Start a worker with -Q {default if queue == 'default' and default else prefix + queue}"


def _path(plan: Plan, node: PlanNode) -> str:
    if node.body_of != NONE:
        return f"nodes.{plan.nodes[node.body_of].name}.with.do.queue"
    return f"nodes.{node.name}.queue" if node is not plan.end else "defaults.queue"
