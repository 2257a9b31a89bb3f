"""The Django app of this room."""

from __future__ import annotations

from django.apps import AppConfig


class WorkflowsConfig(AppConfig):
    """Definitions at rest."""

    name = "celesta.workflows"
    label = "celesta_workflows"
    verbose_name = "Celesta workflows"
    default_auto_field = "django.db.models.BigAutoField"
