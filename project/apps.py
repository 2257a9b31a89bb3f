"""The reference project as a Django app: it brings the demonstration's command."""

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """The reference project."""

    name = "project"

    def ready(self) -> None:
        """Load the Celery app in every process: the web and the commands publish through it."""
        from project import celery  # noqa: F401
