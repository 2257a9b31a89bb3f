"""Django's entry to this room."""

from __future__ import annotations

from django.apps import AppConfig


class ArtifactsConfig(AppConfig):
    """Files that runs produce."""

    name = "celesta.artifacts"
    label = "celesta_artifacts"
    verbose_name = "Celesta artifacts"
    default_auto_field = "django.db.models.BigAutoField"
