"""The Django app of this room."""

from __future__ import annotations

from django.apps import AppConfig


class TriggersConfig(AppConfig):
    """Schedules, and what else begins runs."""

    name = "celesta.triggers"
    label = "celesta_triggers"
    verbose_name = "Celesta triggers"
    default_auto_field = "django.db.models.BigAutoField"
