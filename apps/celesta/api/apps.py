"""The Django app of this room."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The machines' door."""

    name = "celesta.api"
    label = "celesta_api"
    verbose_name = "Celesta api"
    default_auto_field = "django.db.models.BigAutoField"
