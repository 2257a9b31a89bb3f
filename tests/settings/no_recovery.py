"""The leader never sends a hint again: what arrives, arrives by Celery's canvas alone."""

from project.settings import *  # noqa: F403

CELESTA = {**CELESTA, "HINT_LOST_AFTER": 86400.0, "HINT_BACKSTOP": 86400.0}  # noqa: F405
