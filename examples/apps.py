"""The examples as an app of the reference project."""

from django.apps import AppConfig


class ExamplesConfig(AppConfig):
    """Functions and workflows to try Celesta with; no tables."""

    name = "examples"
    label = "celesta_examples"
    verbose_name = "Celesta examples"
