"""The Django app of this room."""

from __future__ import annotations

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """Who may see and do what."""

    name = "celesta.access"
    label = "celesta_access"
    verbose_name = "Celesta access"
    default_auto_field = "django.db.models.BigAutoField"
