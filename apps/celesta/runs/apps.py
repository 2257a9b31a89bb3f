"""The app of the run tables; at start-up it makes node types and functions known."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RunsConfig(AppConfig):
    """Runs and their nodes."""

    name = "celesta.runs"
    label = "celesta_runs"
    verbose_name = "Celesta runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make every node type and node function known: the ones of settings, apps and packages."""
        from celesta import conf
        from celesta.graph.node_types import registry

        import_module("celesta.checks")  # by name: they look at every room
        for name in conf.get("NODE_TYPES"):
            import_module(name).register_all(registry)
        autodiscover_modules(*conf.get("FUNCTION_MODULES"))
