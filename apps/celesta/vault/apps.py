"""The Django app of this room."""

from __future__ import annotations

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Values, and later secrets, that workflows share."""

    name = "celesta.vault"
    label = "celesta_vault"
    verbose_name = "Celesta vault"
    default_auto_field = "django.db.models.BigAutoField"
