"""Whether a workflow takes new runs, and whether any start by themselves. Runs under way go on."""

from __future__ import annotations

from celesta.workflows.models import Workflow


def set_active(workflow: Workflow, *, active: bool) -> Workflow:
    """Let the workflow take new runs, or refuse them with ``workflow_inactive``."""
    workflow.active = active
    workflow.save(update_fields=["active", "updated_at"])
    return workflow


def set_paused(workflow: Workflow, *, paused: bool) -> Workflow:
    """Hold back what would start by itself (schedules), or let it go on.

    When this returns, a tick that was starting runs of the workflow has ended, and the next one
    sees the new state: ticks lock the row that is written here. Starts by hand go on either way.
    """
    workflow.paused = paused
    workflow.save(update_fields=["paused", "updated_at"])
    return workflow
