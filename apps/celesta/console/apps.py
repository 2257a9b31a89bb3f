"""The Django app of this room."""

from __future__ import annotations

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Pages in the admin's frame, and commands of the host."""

    name = "celesta.console"
    label = "celesta_console"
    verbose_name = "Celesta console"
    default_auto_field = "django.db.models.BigAutoField"
