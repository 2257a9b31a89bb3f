"""Celesta: a durable workflow orchestrator for teams on Django and Celery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celery import Celery

    from celesta.graph.functions import node as node
    from celesta.starting import astart as astart
    from celesta.starting import await_run as await_run
    from celesta.starting import start as start

__version__ = "0.2.0"

#: What a project adds to INSTALLED_APPS: ``INSTALLED_APPS += celesta.APPS``.
APPS = [
    "celesta.access",
    "celesta.workflows",
    "celesta.runs",
    "celesta.vault",
    "celesta.artifacts",
    "celesta.triggers",
    "celesta.api",
    "celesta.console",
    "django_celery_beat",
]


def install(app: Celery) -> Celery:
    """Add Celesta's tasks and its keeper to a Celery app, and change nothing else of it."""
    # The worker package is reached by name: nothing below it imports it.
    from importlib import import_module

    import_module("celesta_worker.install").install(app)
    return app


def __getattr__(name: str) -> Any:
    # ``celesta.node`` is what authors of node functions write; imported late: start-up is light.
    if name == "node":
        from celesta.graph.functions import node

        return node
    if name in ("start", "astart", "await_run"):
        from celesta import starting

        return getattr(starting, name)
    if name == "NodeContext":
        from importlib import import_module

        return import_module("celesta_worker.context").NodeContext
    raise AttributeError(f"module 'celesta' has no attribute {name!r}")
